//! The field that makes a browser forget a cookie.

/// The value of a `Set-Cookie` field that expires this cookie for the whole site (RFC 6265, section 3.1).
///
/// A name that begins with `__Secure-` or `__Host-` gets `Secure`, without which browsers ignore the field
/// (RFC 6265bis, section 4.1.3).
///
/// ```
/// use maintenance_mode::answer::expired_cookie;
///
/// assert_eq!(expired_cookie("sessionid"), "sessionid=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
/// assert!(expired_cookie("__Host-id").contains("; Secure"));
/// ```
#[must_use]
pub fn expired_cookie(name: &str) -> String {
    let has_prefix = |prefix: &str| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let secure = if has_prefix("__Secure-") || has_prefix("__Host-") {
        "; Secure"
    } else {
        ""
    };
    format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}")
}
