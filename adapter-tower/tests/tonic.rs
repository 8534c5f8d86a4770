//! A real tonic server and a real tonic client, on a real socket.
#![allow(clippy::unwrap_used)]

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::stream;
use http::request::Parts;
use http::{Extensions, Request};
use maintenance_mode::state::Message;
use maintenance_mode::{Config, Identity, Maintenance, Mode, Off, On, Peer, SiteName};
use maintenance_mode_tower::MaintenanceLayer;
use tokio::net::{TcpListener, TcpStream};
use tonic::service::{InterceptorLayer, LayerExt};
use tonic::transport::server::{Router, TcpConnectInfo};
use tonic::transport::{Channel, Server};
use tonic::{Code, Status, Streaming};
use tonic_health::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_health::server::{HealthReporter, HealthService};
use tower::{Service, ServiceExt};

const CHECK: &str = "/grpc.health.v1.Health/Check";

async fn maintenance(config: Config) -> Maintenance {
    Maintenance::start(config.backend("memory:")).await.unwrap()
}

async fn close(maintenance: &Maintenance, order: On) {
    let sites = [SiteName::default()];
    maintenance.on(&sites, &order).await.unwrap();
}

/// Where tonic leaves the connection's address.
fn peer(request: &Extensions) -> Peer {
    let info = request.get::<TcpConnectInfo>();
    info.and_then(TcpConnectInfo::remote_addr)
        .map(|peer| peer.ip())
        .into()
}

/// A service with a unary call and with one that streams.
fn service(reporter: &HealthReporter) -> HealthServer<impl Health> {
    HealthServer::new(HealthService::from_health_reporter(reporter.clone()))
}

/// The connections of a free port, and a client that will make one.
async fn port() -> (
    impl futures_util::Stream<Item = io::Result<TcpStream>>,
    Channel,
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = stream::unfold(listener, async |listener| {
        let accepted = listener.accept().await;
        Some((accepted.map(|(stream, _)| stream), listener))
    });
    let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
    (connections, endpoint.connect_lazy())
}

/// Serves behind the layer as a whole.
async fn serve(layer: MaintenanceLayer, reporter: &HealthReporter) -> Channel {
    let (connections, channel) = port().await;
    let mut server = Server::builder().layer(layer);
    let router = server.add_service(service(reporter));
    tokio::spawn(router.serve_with_incoming(connections));
    channel
}

/// Serves without a layer around everything.
async fn serve_router(router: Router) -> Channel {
    let (connections, channel) = port().await;
    tokio::spawn(router.serve_with_incoming(connections));
    channel
}

fn whole() -> HealthCheckRequest {
    HealthCheckRequest::default()
}

/// What a unary call gets.
async fn check(channel: &Channel) -> Result<i32, Status> {
    let response = HealthClient::new(channel.clone()).check(whole()).await?;
    Ok(response.into_inner().status)
}

/// Begins a call whose answer is a stream.
async fn watch(channel: &Channel) -> Result<Streaming<HealthCheckResponse>, Status> {
    let response = HealthClient::new(channel.clone()).watch(whole()).await?;
    Ok(response.into_inner())
}

async fn counts(maintenance: &Maintenance, expected: u64) {
    let in_flight = maintenance.in_flight();
    for _ in 0..1000 {
        if in_flight.count() == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{} in flight instead of {expected}", in_flight.count());
}

#[tokio::test]
async fn b10_a_unary_call_gets_unavailable_with_the_message_and_a_time_to_come_back() {
    let maintenance = maintenance(Config::new()).await;
    let channel = serve(
        MaintenanceLayer::new(maintenance.clone()),
        &HealthReporter::new(),
    )
    .await;
    assert_eq!(
        check(&channel).await.unwrap(),
        ServingStatus::Serving as i32
    );

    let order = On::default().message(Message::new("back at 50 % past nöon").ok());
    close(&maintenance, order).await;
    let status = check(&channel).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(
        status.message().contains("back at 50 % past nöon"),
        "{status}"
    );
    assert_eq!(status.metadata().get("x-maintenance").unwrap(), "1");
    let retry_info = b"type.googleapis.com/google.rpc.RetryInfo";
    let mut parts = status.details().windows(retry_info.len());
    assert!(parts.any(|part| part == retry_info), "{status}");

    let sites = [SiteName::default()];
    maintenance.off(&sites, &Off::default()).await.unwrap();
    assert_eq!(
        check(&channel).await.unwrap(),
        ServingStatus::Serving as i32
    );
    counts(&maintenance, 0).await;
}

#[tokio::test]
async fn b10_a_stream_that_is_open_goes_on_and_counts_and_a_new_one_is_refused() {
    let maintenance = maintenance(Config::new()).await;
    let reporter = HealthReporter::new();
    let channel = serve(MaintenanceLayer::new(maintenance.clone()), &reporter).await;
    let mut open = watch(&channel).await.unwrap();
    let mut second = watch(&channel).await.unwrap();
    let serving = ServingStatus::Serving as i32;
    assert_eq!(open.message().await.unwrap().unwrap().status, serving);
    assert_eq!(second.message().await.unwrap().unwrap().status, serving);
    counts(&maintenance, 2).await;

    close(&maintenance, On::mode(Mode::Offline)).await;
    assert_eq!(watch(&channel).await.unwrap_err().code(), Code::Unavailable);
    let stopping = ServingStatus::NotServing;
    reporter.set_service_status("", stopping).await;
    let message = open.message().await.unwrap().unwrap();
    assert_eq!(message.status, stopping as i32);
    assert_eq!(maintenance.in_flight().count(), 2);

    drop(second);
    counts(&maintenance, 1).await;
    drop(open);
    counts(&maintenance, 0).await;
}

#[tokio::test]
async fn d22_an_orchestrators_health_check_stays_open_by_a_path_rule() {
    let maintenance = maintenance(Config::new().health([CHECK])).await;
    let reporter = HealthReporter::new();
    let channel = serve(MaintenanceLayer::new(maintenance.clone()), &reporter).await;
    close(&maintenance, On::mode(Mode::Offline)).await;
    assert_eq!(
        check(&channel).await.unwrap(),
        ServingStatus::Serving as i32
    );
    assert_eq!(watch(&channel).await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn d22_a_service_has_a_layer_of_its_own() {
    let maintenance = maintenance(Config::new()).await;
    let reporter = HealthReporter::new();
    let router = |layer: MaintenanceLayer| {
        Server::builder().add_service(layer.named_layer(service(&reporter)))
    };
    let gated = serve_router(router(MaintenanceLayer::new(maintenance.clone()))).await;
    let shut = serve_router(router(MaintenanceLayer::force_on(maintenance.clone()))).await;
    let exempt = serve_router(router(MaintenanceLayer::force_off(maintenance.clone()))).await;

    assert!(check(&gated).await.is_ok());
    assert!(check(&exempt).await.is_ok());
    assert_eq!(check(&shut).await.unwrap_err().code(), Code::Unavailable);
    close(&maintenance, On::mode(Mode::Offline)).await;
    assert_eq!(check(&gated).await.unwrap_err().code(), Code::Unavailable);
    assert!(check(&exempt).await.is_ok());
}

#[tokio::test]
async fn d26_an_unknown_method_of_a_closed_site_is_unavailable_and_not_unimplemented() {
    let maintenance = maintenance(Config::new()).await;
    let mut channel = serve(
        MaintenanceLayer::new(maintenance.clone()),
        &HealthReporter::new(),
    )
    .await;
    let mut status = async || {
        let call = Request::post("/shop.Cart/Add").header("content-type", "application/grpc");
        let call = call.body(tonic::body::Body::empty()).unwrap();
        let response = channel.ready().await.unwrap().call(call).await.unwrap();
        let status = Status::from_header_map(response.headers()).unwrap();
        (response.status().as_u16(), status.code())
    };
    assert_eq!(status().await, (200, Code::Unimplemented));
    close(&maintenance, On::mode(Mode::Offline)).await;
    assert_eq!(status().await, (200, Code::Unavailable));
}

#[tokio::test]
async fn a_rule_for_addresses_admits_by_the_connections_own() {
    let config = Config::new().allow_address("127.0.0.1").mode(Mode::Offline);
    let maintenance = maintenance(config).await;
    let reporter = HealthReporter::new();
    let layer = MaintenanceLayer::new(maintenance);
    let untold = serve(layer.clone(), &reporter).await;
    assert_eq!(check(&untold).await.unwrap_err().code(), Code::Unavailable);
    let told = serve(layer.peer(peer), &reporter).await;
    assert_eq!(check(&told).await.unwrap(), ServingStatus::Serving as i32);
}

#[tokio::test]
async fn interceptors_run_for_admitted_calls_only_and_callers_are_known_by_metadata() {
    async fn who(parts: &Parts) -> Identity {
        match parts.headers.get("authorization") {
            Some(token) if token == "Bearer ada" => Identity::user("ada").role("staff"),
            _ => Identity::anonymous(),
        }
    }
    let maintenance = maintenance(Config::new().allow_role("staff")).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let interceptor = InterceptorLayer::new(move |request: tonic::Request<()>| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(request)
    });
    let reporter = HealthReporter::new();
    let layer = MaintenanceLayer::new(maintenance.clone()).identify(who);
    let service = interceptor.named_layer(service(&reporter));
    let (connections, channel) = port().await;
    let mut server = Server::builder().layer(layer);
    tokio::spawn(server.add_service(service).serve_with_incoming(connections));

    assert!(check(&channel).await.is_ok());
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    close(&maintenance, On::mode(Mode::Offline)).await;
    assert_eq!(check(&channel).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    let mut by_ada = HealthClient::with_interceptor(channel, |mut call: tonic::Request<()>| {
        let token = "Bearer ada".parse().unwrap();
        call.metadata_mut().insert("authorization", token);
        Ok(call)
    });
    assert!(by_ada.check(whole()).await.is_ok());
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}
