//! For tower-http: answers of maintenance are no failures.

use std::fmt;

use http::{Request, Response};
use maintenance_mode::Verdict;
use tower_http::classify::{
    ClassifiedResponse, ClassifyResponse, GrpcErrorsAsFailures, MakeClassifier,
    ServerErrorsAsFailures, SharedClassifier,
};

/// Calls the answers of maintenance successes, response by response, and leaves all others to the
/// classifier inside: what the application itself answers stays the failure that it is.
///
/// [`MakeMaintenanceClassifier`] makes it for each request, as `TraceLayer` and the like ask for it. The
/// answers are known by their [`Verdict`], so this must see the response before anything takes its
/// extensions away; what came over the network has none.
#[derive(Clone, Copy, Debug, Default)]
pub struct MaintenanceClassifier<C> {
    inner: C,
}

impl<C> MaintenanceClassifier<C> {
    /// Puts this around a classifier.
    pub const fn new(inner: C) -> Self {
        Self { inner }
    }
}

impl<C: ClassifyResponse> ClassifyResponse for MaintenanceClassifier<C> {
    type FailureClass = C::FailureClass;
    type ClassifyEos = C::ClassifyEos;

    fn classify_response<B>(
        self,
        response: &Response<B>,
    ) -> ClassifiedResponse<Self::FailureClass, Self::ClassifyEos> {
        let verdict = response.extensions().get::<Verdict>();
        if verdict.is_some_and(Verdict::is_blocked) {
            ClassifiedResponse::Ready(Ok(()))
        } else {
            self.inner.classify_response(response)
        }
    }

    fn classify_error<E>(self, error: &E) -> Self::FailureClass
    where
        E: fmt::Display + 'static,
    {
        self.inner.classify_error(error)
    }
}

/// Makes a [`MaintenanceClassifier`] around what another one makes.
///
/// ```
/// use axum::Router;
/// use maintenance_mode::{Config, Maintenance};
/// use maintenance_mode_tower::{MaintenanceLayer, MakeMaintenanceClassifier};
/// use tower_http::trace::TraceLayer;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let maintenance = Maintenance::start(Config::new().backend("memory:")).await?;
/// let app: Router = Router::new()
///     .layer(MaintenanceLayer::new(maintenance))
///     .layer(TraceLayer::new(MakeMaintenanceClassifier::http()));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MakeMaintenanceClassifier<M> {
    inner: M,
}

impl MakeMaintenanceClassifier<SharedClassifier<ServerErrorsAsFailures>> {
    /// Failures are 5xx, as for `TraceLayer::new_for_http`.
    #[must_use]
    pub fn http() -> Self {
        Self::new(ServerErrorsAsFailures::make_classifier())
    }
}

impl MakeMaintenanceClassifier<SharedClassifier<GrpcErrorsAsFailures>> {
    /// Failures are gRPC statuses that `GrpcErrorsAsFailures` calls so, as for `TraceLayer::new_for_grpc`.
    #[must_use]
    pub fn grpc() -> Self {
        Self::new(GrpcErrorsAsFailures::make_classifier())
    }
}

impl<M> MakeMaintenanceClassifier<M> {
    /// Puts this around another maker; for a classifier that does not depend on the request, around a
    /// `SharedClassifier` of it.
    pub const fn new(inner: M) -> Self {
        Self { inner }
    }
}

impl<M: MakeClassifier> MakeClassifier for MakeMaintenanceClassifier<M> {
    type Classifier = MaintenanceClassifier<M::Classifier>;
    type FailureClass = M::FailureClass;
    type ClassifyEos = M::ClassifyEos;

    fn make_classifier<B>(&self, request: &Request<B>) -> Self::Classifier {
        MaintenanceClassifier::new(self.inner.make_classifier(request))
    }
}
