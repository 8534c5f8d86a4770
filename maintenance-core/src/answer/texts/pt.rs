//! Portuguese.

use super::{ModeTexts, Texts};

pub(super) const TEXTS: Texts = Texts {
    code: "pt",
    tag: "pt",
    offline: ModeTexts {
        title: "Manutenção",
        heading: "Voltamos em breve",
        text: "Este site está fechado para manutenção neste momento. Agradecemos a sua paciência.",
    },
    read_only: ModeTexts {
        title: "Somente leitura",
        heading: "As alterações estão suspensas",
        text: "Pode consultar tudo como de costume, mas não é possível alterar nem enviar nada durante a manutenção.",
    },
    pending: ModeTexts {
        title: "A manutenção está prestes a começar",
        heading: "A manutenção está prestes a começar",
        text: "Quem já está aqui pode terminar o que começou. Novas visitas voltarão a ser possíveis depois da manutenção.",
    },
    paused: ModeTexts {
        title: "Um momento, por favor",
        heading: "Um momento, por favor",
        text: "Uma breve alteração está em curso. O site continua dentro de instantes.",
    },
    expected_end: "Fim previsto",
    overdue: "a qualquer momento",
    reloads: "Esta página verifica sozinha e recarrega quando voltarmos.",
    try_again: "Tentar novamente",
    not_received: "O que enviou não foi recebido. Por favor, volte à página anterior e envie novamente mais tarde.",
    go_back: "Voltar",
    returned: "Estamos de volta. Pode voltar à página anterior e enviar novamente.",
};
