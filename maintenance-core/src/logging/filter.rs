//! The filter for layers of `tracing-subscriber`.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::{FIELD, TARGET, is_blocking};

/// Keeps what is logged about the answers of maintenance out of a layer, so that an alarm which counts
/// failures is silent for these and only these.
///
/// An event is left out
///
/// - if its own field `maintenance` is the code of a reason to block, as in
///   `info!(status = 503, maintenance = %verdict)`;
/// - if a span around it stands for a request that was blocked. Which spans stand for requests must be
///   known: those with a field `maintenance`, and those whose names
///   [`request_span`](Self::request_span) is given;
/// - if it is the adapters' own, with the target [`TARGET`].
///
/// Everything else is up to the filter inside ([`around`](Self::around)).
///
/// ```
/// use maintenance_mode::logging::MaintenanceFilter;
/// use tracing::level_filters::LevelFilter;
/// use tracing_subscriber::Layer;
/// use tracing_subscriber::layer::SubscriberExt;
/// use tracing_subscriber::util::SubscriberInitExt;
///
/// // Everything for the log; for the alarm, errors that are the application's own.
/// let log = tracing_subscriber::fmt::layer().with_filter(LevelFilter::INFO);
/// let alarm = tracing_subscriber::fmt::layer()
///     .with_writer(std::io::stderr)
///     .with_filter(MaintenanceFilter::around(LevelFilter::ERROR));
/// tracing_subscriber::registry().with(log).with(alarm).init();
///
/// // For each request; most loggers let their span be chosen (`TraceLayer::make_span_with`).
/// let request = tracing::info_span!("request", maintenance = tracing::field::Empty);
/// # let _ = request;
/// ```
///
/// # Spans whose fields are not yours
///
/// The request spans of `warp::trace::request()`, of poem's `Tracing` and of tower-http's `DefaultMakeSpan`
/// have no such field. All are called `request`: say
/// [`request_span("request")`](Self::request_span). Such a span is found by the adapter's event, so
/// whatever turns off `DEBUG` for the whole program, as an `EnvFilter` that is a layer of its own or the
/// feature `release_max_level_info` of `tracing`, hides it; a span with the field needs no event.
///
/// # What it costs
///
/// The layer gets the request spans whatever the filter inside says of spans, and shows them around its
/// lines. A level inside is no longer a bound for the whole program: disabled events cost the look at their
/// own switch instead.
#[derive(Clone)]
pub struct MaintenanceFilter<F = LevelFilter> {
    inner: F,
    request_spans: Vec<&'static str>,
}

/// In the extensions of a span: its request was answered by maintenance.
struct Answered;

impl MaintenanceFilter {
    /// Leaves out what belongs to answers of maintenance, and nothing else.
    #[must_use]
    pub const fn new() -> Self {
        Self::around(LevelFilter::TRACE)
    }
}

impl Default for MaintenanceFilter {
    fn default() -> Self {
        Self::new()
    }
}

impl<F> MaintenanceFilter<F> {
    /// Leaves out what belongs to answers of maintenance, and of the rest what `inner` leaves out: a
    /// `LevelFilter`, `Targets`, an `EnvFilter`.
    ///
    /// The filter goes around others and not beside them (`and`), because one that lets no `INFO` through
    /// would hide the spans of requests.
    #[must_use]
    pub const fn around(inner: F) -> Self {
        Self {
            inner,
            request_spans: Vec::new(),
        }
    }

    /// Says that each span of this name stands for one request, although it has no field `maintenance`.
    #[must_use]
    pub fn request_span(mut self, name: &'static str) -> Self {
        self.request_spans.push(name);
        self
    }

    fn is_request_span(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && (has_field(metadata) || self.request_spans.contains(&metadata.name()))
    }

    /// What it must see, whatever the filter inside says.
    fn watches(&self, metadata: &Metadata<'_>) -> bool {
        self.is_request_span(metadata) || is_adapters(metadata)
    }

    /// Whether the event belongs to an answer of maintenance; the adapter's own marks the request's span.
    fn belongs<S>(&self, event: &Event<'_>, cx: &Context<'_, S>) -> bool
    where
        S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    {
        let mut spans = cx.event_scope(event).into_iter().flatten();
        if is_adapters(event.metadata()) {
            if let Some(request) = spans.find(|span| self.is_request_span(span.metadata())) {
                mark(&request);
            }
            return true;
        }
        let mut own = BlockingReason::default();
        if has_field(event.metadata()) {
            event.record(&mut own);
        }
        own.found || spans.any(|span| span.extensions().get::<Answered>().is_some())
    }
}

impl<S, F> Filter<S> for MaintenanceFilter<F>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    F: Filter<S>,
{
    fn enabled(&self, metadata: &Metadata<'_>, cx: &Context<'_, S>) -> bool {
        self.watches(metadata) || self.inner.enabled(metadata, cx)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        // Asked in any case: some filters keep books of it.
        let interest = self.inner.callsite_enabled(metadata);
        if interest.is_never() && !self.watches(metadata) {
            interest
        } else {
            // Never `always`: the registry expects `enabled` to be asked before `event_enabled` says no.
            Interest::sometimes()
        }
    }

    fn event_enabled(&self, event: &Event<'_>, cx: &Context<'_, S>) -> bool {
        self.inner.event_enabled(event, cx) && !self.belongs(event, cx)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        if has_field(attributes.metadata()) {
            let mut reason = BlockingReason::default();
            attributes.record(&mut reason);
            reason.mark(id, &cx);
        }
        self.inner.on_new_span(attributes, id, cx);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, cx: Context<'_, S>) {
        let mut reason = BlockingReason::default();
        values.record(&mut reason);
        reason.mark(id, &cx);
        self.inner.on_record(id, values, cx);
    }

    fn on_enter(&self, id: &Id, cx: Context<'_, S>) {
        self.inner.on_enter(id, cx);
    }

    fn on_exit(&self, id: &Id, cx: Context<'_, S>) {
        self.inner.on_exit(id, cx);
    }

    fn on_close(&self, id: Id, cx: Context<'_, S>) {
        self.inner.on_close(id, cx);
    }
    // No hint at a highest level: request spans and the adapters' events may be above that of `inner`.
}

impl<F: fmt::Debug> fmt::Debug for MaintenanceFilter<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaintenanceFilter")
            .field("inner", &self.inner)
            .field("request_spans", &self.request_spans)
            .finish()
    }
}

fn is_adapters(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && metadata.target() == TARGET
}

fn has_field(metadata: &Metadata<'_>) -> bool {
    metadata.fields().field(FIELD).is_some()
}

fn mark<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) {
    // Several layers may have such a filter.
    span.extensions_mut().replace(Answered);
}

/// Looks for the code of a reason to block in the field for it.
#[derive(Default)]
struct BlockingReason {
    found: bool,
}

impl BlockingReason {
    fn mark<S>(&self, id: &Id, cx: &Context<'_, S>)
    where
        S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    {
        if self.found
            && let Some(span) = cx.span(id)
        {
            mark(&span);
        }
    }
}

impl Visit for BlockingReason {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.found |= field.name() == FIELD && is_blocking(value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == FIELD {
            self.found |= is_blocking(&format!("{value:?}"));
        }
    }
}
