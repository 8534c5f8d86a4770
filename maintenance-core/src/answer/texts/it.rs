//! Italian.

use super::{ModeTexts, Texts};

pub(super) const TEXTS: Texts = Texts {
    code: "it",
    tag: "it",
    offline: ModeTexts {
        title: "Manutenzione",
        heading: "Torniamo presto",
        text: "Questo sito è momentaneamente chiuso per manutenzione. Grazie per la pazienza.",
    },
    read_only: ModeTexts {
        title: "Sola lettura",
        heading: "Le modifiche sono sospese",
        text: "Può consultare tutto come sempre, ma durante la manutenzione non è possibile modificare né inviare nulla.",
    },
    pending: ModeTexts {
        title: "La manutenzione sta per iniziare",
        heading: "La manutenzione sta per iniziare",
        text: "Chi è già qui può finire ciò che ha iniziato. Le nuove visite saranno di nuovo possibili dopo la manutenzione.",
    },
    paused: ModeTexts {
        title: "Un momento, per favore",
        heading: "Un momento, per favore",
        text: "Stiamo eseguendo una breve modifica. Il sito riprende tra un attimo.",
    },
    expected_end: "Fine prevista",
    overdue: "da un momento all’altro",
    reloads: "Questa pagina controlla da sola e si ricarica appena torniamo.",
    try_again: "Riprova",
    not_received: "Non abbiamo ricevuto ciò che ha inviato. Torni indietro e lo invii di nuovo più tardi, per favore.",
    go_back: "Torna indietro",
    returned: "Siamo tornati. Può tornare indietro e inviare di nuovo.",
};
