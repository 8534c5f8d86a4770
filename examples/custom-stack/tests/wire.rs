//! The custom stack as a process, driven over its socket: every check that needs no route which only the
//! sample sites have.

use maintenance_mode_conformance::wire::{Framework, Subject};
use maintenance_mode_conformance::wire_suite;

const HYPER: Subject = Subject {
    program: env!("CARGO_BIN_EXE_custom-stack"),
    framework: Framework::HYPER,
};

wire_suite!(HYPER;
    switching: closes_one_site_of_two;
    answers: takes_the_form_that_the_client_asks_for, speaks_to_grpc_and_event_streams,
        redirects_but_not_its_own_target, answers_head_like_get,
        lets_preflights_see_the_answer, has_no_validators;
    targets: answers_http_1_0_without_host, answers_the_asterisk_form, answers_unknown_methods;
    bodies: answers_a_small_body_at_once, answers_before_a_late_body,
        answers_a_body_that_never_comes, answers_a_chunked_body, answers_expect_continue;
    connections: keeps_a_connection_alive, closes_a_connection_when_asked_to;
    http2: http_2_gets_the_same_answers, http_2_head_is_like_get, http_2_authority_names_the_site,
        http_2_bodies_hold_nothing_up, http_2_grpc_gets_its_status;
);
