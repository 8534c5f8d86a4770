//! French.

use super::{ModeTexts, Texts};

pub(super) const TEXTS: Texts = Texts {
    code: "fr",
    tag: "fr",
    offline: ModeTexts {
        title: "Maintenance en cours",
        heading: "Nous revenons bientôt",
        text: "Ce site est momentanément fermé pour maintenance. Merci de votre patience.",
    },
    read_only: ModeTexts {
        title: "Lecture seule",
        heading: "Les modifications sont suspendues",
        text: "Vous pouvez tout consulter comme d’habitude, mais rien ne peut être modifié ni envoyé pendant la maintenance.",
    },
    pending: ModeTexts {
        title: "La maintenance va commencer",
        heading: "La maintenance va commencer",
        text: "Les visiteurs déjà présents peuvent terminer ce qu’ils ont commencé. Les nouvelles visites seront de nouveau possibles après la maintenance.",
    },
    paused: ModeTexts {
        title: "Un instant, s’il vous plaît",
        heading: "Un instant, s’il vous plaît",
        text: "Nous effectuons une brève intervention. Le site reprend dans un instant.",
    },
    expected_end: "Fin prévue",
    overdue: "d’un instant à l’autre",
    reloads: "Cette page vérifie d’elle-même et s’actualise dès notre retour.",
    try_again: "Réessayer",
    not_received: "Votre envoi ne nous est pas parvenu. Veuillez revenir en arrière et le renvoyer plus tard.",
    go_back: "Retour",
    returned: "Nous sommes de retour. Vous pouvez revenir en arrière et renvoyer votre saisie.",
};
