//! A real site on a real socket: what every adapter promises, byte by byte.
//!
//! Each framework's sample site is a [`Subject`]; [`wire_suite!`](crate::wire_suite) makes a test of every
//! check of the [`suite`] and of the vectors. What a framework makes impossible is said in its
//! [`Framework`], never left out in silence.

mod connection;
mod framework;
mod http2;
mod response;
mod same;
mod site;
mod storm;
pub mod suite;
pub mod table;
pub mod vectors;

pub use connection::{Connection, request};
pub use framework::Framework;
pub use http2::{Exchange, Http2, http2_request};
pub use response::Response;
pub use same::Same;
pub use site::Site;

use std::path::Path;

/// A sample site under test.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Its program.
    pub program: &'static str,
    /// What its framework does.
    pub framework: Framework,
}

impl Subject {
    /// The program's path.
    #[must_use]
    pub fn program(&self) -> &'static Path {
        Path::new(self.program)
    }
}

/// Makes a test of each check and of the vectors: `wire_suite!(subject, refused)`, where `subject` is an
/// expression for a [`Subject`](crate::wire::Subject), and `refused` names the vectors that the framework's
/// parser refuses although others do not. `wire_suite!(subject; module: check, …;)` makes only those.
#[macro_export]
macro_rules! wire_suite {
    ($subject:expr, $refused:expr) => {
        #[test]
        fn every_vector_that_can_be_sent_holds_on_the_wire() -> Result<(), $crate::backend_suite::Broken> {
            $crate::wire::vectors::all_hold(&$subject, $refused)
        }

        #[test]
        fn the_commented_configuration_is_valid() -> Result<(), $crate::backend_suite::Broken> {
            let config = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/maintenance.toml"));
            $crate::wire::suite::switching::closes_by_its_commented_configuration(&$subject, config)
        }

        $crate::wire_suite!($subject;
            switching: closes_and_opens_for_every_path, read_only_lets_safe_methods_through,
                closes_one_site_of_two, leaves_overridden_routes_alone, lets_admitted_requests_end_well,
                lets_admitted_streams_end_well;
            answers: takes_the_form_that_the_client_asks_for, speaks_to_grpc_and_event_streams,
                redirects_but_not_its_own_target, answers_head_like_get,
                lets_preflights_see_the_answer, has_no_validators, are_the_engines_own;
            targets: answers_http_1_0_without_host, answers_the_absolute_form,
                answers_the_asterisk_form, answers_unknown_methods,
                closes_forced_routes_in_every_spelling;
            bodies: answers_a_small_body_at_once, answers_before_a_late_body,
                answers_a_body_that_never_comes, answers_a_chunked_body, answers_expect_continue,
                lets_an_uploader_read_its_answer, lets_a_chunked_uploader_read_its_answer;
            connections: answers_pipelined_requests_in_order, keeps_a_connection_alive,
                closes_a_connection_when_asked_to;
            visitors: lets_staff_in_and_nobody_else, logs_visitors_out,
                d07_identify_is_called_only_when_needed,
                tells_those_inside_what_is_going_on;
            live: a_socket_echoes_until_the_site_closes, an_event_stream_tells_that_the_site_closes,
                a_running_request_ends_before_the_process_does, bodies_are_counted_and_streamed;
            counts: an_aborted_request_is_no_longer_counted, a_client_that_leaves_is_no_longer_counted,
                an_upgraded_connection_is_counted_apart, a_reset_stream_is_no_longer_counted,
                ten_thousand_broken_requests_leave_nothing, a_thousand_broken_streams_leave_nothing, clients_that_stall_are_not_counted;
            http2: http_2_gets_the_same_answers, http_2_gets_the_engines_own_answers, http_2_head_is_like_get,
                http_2_authority_names_the_site, http_2_bodies_hold_nothing_up,
                http_2_grpc_gets_its_status, http_2_streams_do_not_mix;
        );
    };
    ($subject:expr; $($module:ident: $($check:ident),+;)+) => {
        $(mod $module {
            use super::*;
            $(#[test]
            fn $check() -> Result<(), $crate::backend_suite::Broken> {
                $crate::wire::suite::$module::$check(&$subject)
            })+
        })+
    };
}
