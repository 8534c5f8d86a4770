//! A look at the server's settings, once, for what an operator should know.

use redis::Value;
use redis::aio::MultiplexedConnection;

/// Warns of what endangers the record. A server that does not say is not asked again.
pub(crate) async fn survey(connection: &mut MultiplexedConnection, place: &str) {
    let mut questions = redis::pipe();
    questions.cmd("CONFIG").arg("GET").arg("maxmemory-policy");
    questions.cmd("ROLE");
    // What is forbidden here is no matter: the answers are for warnings only.
    let Ok(answers) = connection.send_packed_commands(&questions, 0, 2).await else {
        return;
    };
    let mut answers = answers.into_iter();
    if let Some(policy) = answers.next().and_then(eviction) {
        tracing::warn!(
            "{place}: `maxmemory-policy` is `{policy}`: the server may throw the record away when its memory is full; \
             set it to `noeviction`, or use a server of its own"
        );
    }
    if answers.next().is_some_and(is_replica) {
        tracing::warn!(
            "{place}: this server is a replica: what is read may be old, and nothing can be changed; name the primary"
        );
    }
}

/// The policy, if keys without an end may be evicted by it. Ours have none.
fn eviction(answer: Value) -> Option<String> {
    let pairs: std::collections::HashMap<String, String> = redis::from_redis_value(answer).ok()?;
    pairs
        .into_values()
        .find(|policy| policy != "noeviction" && !policy.starts_with("volatile-"))
}

fn is_replica(answer: Value) -> bool {
    let Value::Array(parts) = answer else {
        return false;
    };
    let role = parts.into_iter().next();
    role.is_some_and(|role| redis::from_redis_value::<String>(role).is_ok_and(|r| r == "slave"))
}
