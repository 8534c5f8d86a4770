//! What frameworks make of requests below the middleware, where no adapter can change it.

/// In what frameworks differ. Each constant says why it is so; the adapters' documentation tells users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framework {
    /// Sends `100 Continue` before a middleware could refuse.
    pub continues_first: bool,
    /// Answers before the request's body has come.
    pub answers_before_body: bool,
    /// Hands requests with unknown methods to the middleware instead of refusing them with 400.
    pub knows_all_methods: bool,
    /// Routes `/%61` to `/a`.
    pub decodes_paths: bool,
    /// Speaks HTTP/2 in cleartext, by prior knowledge (RFC 9113, section 3.3). Frameworks that agree on
    /// HTTP/2 only in a TLS handshake do not; then their answers over HTTP/2 are shown by nothing here.
    pub http2: bool,
    /// Drops a handler when its client resets the connection. A framework that lets handlers run to their
    /// end counts such a request until then.
    pub cancels_handlers: bool,
    /// Keeps the authority of an absolute-form target (`GET http://host/`). A framework that drops it knows
    /// such a request's host from `Host` alone, and so does its application.
    pub keeps_authority: bool,
    /// Fields that the framework puts into maintenance's answers when they have left the adapter, besides
    /// `Date` and `Connection`. In lower case.
    pub adds_fields: &'static [&'static str],
}

impl Framework {
    /// hyper alone, and every framework on it that changes nothing below the middleware.
    pub const HYPER: Self = Self {
        continues_first: false,
        answers_before_body: true,
        knows_all_methods: true,
        decodes_paths: false,
        http2: true,
        cancels_handlers: true,
        keeps_authority: true,
        adds_fields: &[],
    };

    /// axum is hyper below the middleware. Above it, `Router` adds `Allow` to whatever a layer of a route
    /// answers to a method that the route has no handler for (`axum::routing::MethodRouter`).
    pub const AXUM: Self = Self {
        adds_fields: &["allow"],
        ..Self::HYPER
    };

    /// actix-web: its expect handler runs before any middleware, and its router decodes paths.
    pub const ACTIX: Self = Self {
        continues_first: true,
        decodes_paths: true,
        ..Self::HYPER
    };

    /// Rocket looks at the first bytes of every body before anything else, parses methods and targets into
    /// types of its own, and lets handlers run to their end, each in a task of its own.
    pub const ROCKET: Self = Self {
        continues_first: true,
        answers_before_body: false,
        knows_all_methods: false,
        decodes_paths: true,
        cancels_handlers: false,
        keeps_authority: false,
        ..Self::HYPER
    };
}
