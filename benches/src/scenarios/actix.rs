//! One request through an actix application in this process: no socket, no parsing.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::rt::{System, SystemRunner};
use actix_web::{Error, test};

use super::{Runner, Scenario};
use crate::{Trouble, sites};

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "actix/plain",
        prepare: plain,
    },
    Scenario {
        name: "actix/ten-liner/online",
        prepare: || ten_liner(false),
    },
    Scenario {
        name: "actix/ten-liner/offline",
        prepare: || ten_liner(true),
    },
    Scenario {
        name: "actix/ours/online",
        prepare: || ours(false),
    },
    Scenario {
        name: "actix/ours/offline",
        prepare: || ours(true),
    },
];

fn get() -> test::TestRequest {
    test::TestRequest::get().uri("/")
}

fn plain() -> Result<Runner, Trouble> {
    let system = System::new();
    let service = system.block_on(test::init_service(sites::plain()));
    Ok(requests(system, service, || get().to_request(), 200))
}

fn ten_liner(closed: bool) -> Result<Runner, Trouble> {
    let system = System::new();
    let flag = Arc::new(AtomicBool::new(closed));
    let service = system.block_on(test::init_service(sites::ten_liner(flag)));
    Ok(requests(
        system,
        service,
        || get().to_request(),
        if closed { 503 } else { 200 },
    ))
}

fn ours(closed: bool) -> Result<Runner, Trouble> {
    let system = System::new();
    let maintenance = system.block_on(sites::switch("memory:", closed))?;
    let service = system.block_on(test::init_service(sites::ours(maintenance)));
    Ok(requests(
        system,
        service,
        || get().to_request(),
        if closed { 503 } else { 200 },
    ))
}

fn requests<S, R, B>(system: SystemRunner, service: S, request: fn() -> R, expected: u16) -> Runner
where
    S: Service<R, Response = ServiceResponse<B>, Error = Error> + 'static,
    R: 'static,
    B: MessageBody + 'static,
{
    Box::new(move |count| {
        system.block_on(async {
            for _ in 0..count {
                let response = test::call_service(&service, request()).await;
                assert_eq!(response.status().as_u16(), expected);
            }
        });
    })
}
