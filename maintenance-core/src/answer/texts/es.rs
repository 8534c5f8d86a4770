//! Spanish.

use super::{ModeTexts, Texts};

pub(super) const TEXTS: Texts = Texts {
    code: "es",
    tag: "es",
    offline: ModeTexts {
        title: "Mantenimiento",
        heading: "Volvemos pronto",
        text: "Este sitio está cerrado por mantenimiento en este momento. Gracias por su paciencia.",
    },
    read_only: ModeTexts {
        title: "Solo lectura",
        heading: "Los cambios están en pausa",
        text: "Puede consultarlo todo como siempre, pero no es posible modificar ni enviar nada durante el mantenimiento.",
    },
    pending: ModeTexts {
        title: "El mantenimiento está a punto de empezar",
        heading: "El mantenimiento está a punto de empezar",
        text: "Quienes ya están aquí pueden terminar lo que empezaron. Las nuevas visitas volverán a ser posibles después del mantenimiento.",
    },
    paused: ModeTexts {
        title: "Un momento, por favor",
        heading: "Un momento, por favor",
        text: "Estamos haciendo un cambio breve. El sitio continuará enseguida.",
    },
    expected_end: "Fin previsto",
    overdue: "en cualquier momento",
    reloads: "Esta página lo comprueba por sí sola y se recarga cuando volvamos.",
    try_again: "Volver a intentarlo",
    not_received: "No hemos recibido lo que envió. Vuelva atrás y envíelo de nuevo más tarde, por favor.",
    go_back: "Volver atrás",
    returned: "Ya estamos de vuelta. Puede volver atrás y enviarlo de nuevo.",
};
