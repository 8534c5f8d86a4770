//! Every file call fails in turn.
