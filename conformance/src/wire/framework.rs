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
    /// The same when a client resets a stream of an HTTP/2 connection, or loses the connection.
    pub cancels_streams: bool,
    /// Waits without a limit for the rest of a chunked body that stops in the middle, also after its request
    /// was answered. The request is not counted meanwhile; only a proxy in front ends the connection.
    pub waits_for_chunks: bool,
    /// Fields that the framework puts into maintenance's answers when they have left the adapter, besides
    /// `Date` and `Connection`. In lower case.
    pub adds_fields: &'static [&'static str],
    /// Sends `Content-Length: 0` where HEAD asks for an answer without a body. It may be left out (RFC 9110,
    /// section 8.6).
    pub says_zero_to_head: bool,
    /// Requests of `own-answers.json` and of the vectors, by id, of which the framework does not show everything
    /// to a middleware. They are blocked, with the answer of whichever site.
    pub answers_apart: &'static [&'static str],
}

impl Framework {
    /// Whether the parser answers 400 to a method before anybody else sees it.
    #[must_use]
    pub fn refuses(&self, method: &str) -> bool {
        const KNOWN: [&str; 9] = [
            "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
        ];
        !self.knows_all_methods && !KNOWN.contains(&method)
    }

    /// hyper alone, and every framework on it that changes nothing below the middleware.
    pub const HYPER: Self = Self {
        continues_first: false,
        answers_before_body: true,
        knows_all_methods: true,
        decodes_paths: false,
        http2: true,
        cancels_handlers: true,
        keeps_authority: true,
        cancels_streams: true,
        waits_for_chunks: false,
        adds_fields: &[],
        says_zero_to_head: true,
        answers_apart: &[],
    };

    /// axum is hyper below the middleware. Above it, `Router` adds `Allow` to whatever a layer of a route
    /// answers to a method that the route has no handler for (`axum::routing::MethodRouter`).
    pub const AXUM: Self = Self {
        adds_fields: &["allow"],
        ..Self::HYPER
    };

    /// warp is hyper below the filters. Where target and `Host` differ, be it by a port alone, it shows only that
    /// they do (`warp::host::optional`); so such a request is closed as long as any site is.
    pub const WARP: Self = Self {
        answers_apart: &["A125", "Q295"],
        ..Self::HYPER
    };

    /// actix-web: its expect handler runs before any middleware, and its router decodes paths. Over HTTP/2 each
    /// handler is a task of its own, which nobody stops (`actix_http::h2::Dispatcher`). After an early answer it
    /// reads a chunked body to its end, and no timer runs meanwhile (`actix_http::h1::Dispatcher`).
    pub const ACTIX: Self = Self {
        continues_first: true,
        decodes_paths: true,
        cancels_streams: false,
        waits_for_chunks: true,
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
        cancels_streams: false,
        keeps_authority: false,
        ..Self::HYPER
    };
}
