//! The small shop that every framework's sample site serves, without the framework: users and sessions,
//! items, pages, what the status tells. The sites add their routes and their maintenance adapter.

mod items;
mod options;
mod pages;
mod session;
mod status;

pub use items::{Item, NewItem, Shop};
pub use options::{Options, log_to_stderr};
pub use pages::{LOG_IN_FORM, LOG_OUT_FORM, admin_page, banner, front_page, page, status_lines};
pub use session::{COOKIE, Credentials, Sessions, User, cookie_of, removed_cookie};
pub use status::{ModeEvents, mode_in, public_status};
