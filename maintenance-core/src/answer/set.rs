//! Every answer of one site at one time.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::FormatChoice;
use super::compose::{Composer, RenderedPage};
use super::event_stream::STEPS;
use super::grpc::{self, Protocol};
use super::negotiate::{Accept, Hints, pick_language};
use super::policy::Page;
use super::prepared::Prepared;
use super::response::{Answer, Parts};
use super::retry_after::mix;
use super::template::{built_in, page_context};
use super::texts::{LANGUAGES, Texts};
use super::{AnswerPolicy, CustomAnswer, Format, FullAnswer, Notice, cors};
use crate::request::Facts;
use crate::time::Timestamp;

/// How many prepared answers there are in one language.
const PER_LANGUAGE: usize = 4 + STEPS;

/// A prepared answer's place.
#[derive(Clone, Copy, Debug)]
enum Slot {
    Html { language: usize, sent: bool },
    Json { language: usize },
    Text { language: usize },
    Events { language: usize, step: usize },
    Redirect { sent: bool },
    Grpc(Protocol),
}

/// Every answer of one site at one time, each rendered once, at first use or ahead by [`AnswerSet::prepare`].
pub struct AnswerSet {
    policy: Arc<AnswerPolicy>,
    notice: Notice,
    slots: Box<[OnceLock<Box<Prepared>>]>,
    /// Whether the failure of the application's template has been reported.
    template_failed: AtomicBool,
}

impl AnswerSet {
    /// The answers that this policy gives while the site has this to say.
    #[must_use]
    pub fn new(policy: Arc<AnswerPolicy>, notice: Notice) -> Self {
        let slots = policy.languages.len() * PER_LANGUAGE + 2 + Protocol::ALL.len();
        Self {
            policy,
            notice,
            slots: (0..slots).map(|_| OnceLock::new()).collect(),
            template_failed: AtomicBool::new(false),
        }
    }

    /// Renders every answer, so that no request waits for it.
    pub fn prepare(&self) {
        for language in 0..self.policy.languages.len() {
            if !self.renders_each_request() {
                self.prepared(Slot::Html {
                    language,
                    sent: false,
                });
                self.prepared(Slot::Html {
                    language,
                    sent: true,
                });
            }
            self.prepared(Slot::Json { language });
            self.prepared(Slot::Text { language });
            for step in 0..STEPS {
                self.prepared(Slot::Events { language, step });
            }
        }
        self.prepared(Slot::Redirect { sent: false });
        self.prepared(Slot::Redirect { sent: true });
        for protocol in Protocol::ALL {
            self.prepared(Slot::Grpc(protocol));
        }
    }

    /// What the site tells its visitors.
    #[must_use]
    pub const fn notice(&self) -> &Notice {
        &self.notice
    }

    /// The policy that the answers keep.
    #[must_use]
    pub fn policy(&self) -> &AnswerPolicy {
        &self.policy
    }

    /// The answer to one request. `chosen` is the format that a path rule of the policy asks for.
    ///
    /// The order of precedence is in the module's documentation.
    pub fn answer<'s>(
        &'s self,
        facts: &Facts<'_>,
        now: Timestamp,
        chosen: Option<FormatChoice>,
    ) -> Answer<'s> {
        let allowed = self.policy.cors.allow(facts.headers);
        if let Some(allowed) = allowed
            && let Some(prepared) = cors::preflight(facts, allowed)
        {
            return Answer::new(Parts::Own(Box::new(prepared)), None, None);
        }
        let retry_after = self.policy.retry_after.value(&self.notice, now, facts.peer);
        let own_format = match self.custom(facts) {
            Some(CustomAnswer::Full(full)) => {
                let retry_after = retry_after.filter(|_| !full.has("retry-after"));
                let allowed = allowed.filter(|_| !full.has("access-control-allow-origin"));
                return Answer::new(self.own(full), retry_after, allowed);
            }
            Some(CustomAnswer::Format(format)) => Some(format),
            None => None,
        };
        let slot = self.slot(facts, now, own_format, chosen);
        let parts = match slot {
            Slot::Html { language, sent } if self.renders_each_request() => {
                Parts::Own(Box::new(self.html(language, sent, Some(facts))))
            }
            _ => Parts::Shared(self.prepared(slot)),
        };
        let details = match (slot, retry_after.and_then(|value| value.as_seconds())) {
            (Slot::Grpc(_), Some(seconds)) => {
                let message = self.policy.words.detail(&self.notice, self.texts(0));
                Some(grpc::details(grpc::shortened(message), seconds))
            }
            _ => None,
        };
        Answer::new(parts, retry_after, allowed).with_grpc_details(details)
    }

    fn custom(&self, facts: &Facts<'_>) -> Option<CustomAnswer> {
        self.policy
            .custom
            .as_ref()
            .and_then(|custom| custom(facts, &self.notice))
    }

    fn own(&self, full: FullAnswer) -> Parts<'_> {
        Parts::Own(Box::new(self.composer().full(full)))
    }

    /// Which prepared answer fits.
    fn slot(
        &self,
        facts: &Facts<'_>,
        now: Timestamp,
        own: Option<Format>,
        chosen: Option<FormatChoice>,
    ) -> Slot {
        let protocol = Protocol::of(facts);
        let mut accept = None;
        let mut accept = || *accept.get_or_insert_with(|| Accept::of(facts.headers));
        let wanted = match own {
            Some(format) => Some(format),
            None if protocol.is_some() => Some(Format::Grpc),
            None if self.policy.event_stream
                && facts.method == "GET"
                && accept().wants_events() =>
            {
                Some(Format::EventStream)
            }
            None => chosen.unwrap_or(self.policy.format).fixed(),
        };
        let mut negotiated = || accept().best(|| Hints::of(facts));
        let format = match wanted {
            Some(Format::Redirect) => match &self.policy.redirect {
                Some(redirect) if redirect.json_too || negotiated() != Format::Json => {
                    Format::Redirect
                }
                Some(_) => Format::Json,
                // A path rule may ask for a redirect that the policy does not have.
                None => negotiated(),
            },
            Some(Format::Preflight | Format::Custom) | None => negotiated(),
            Some(format) => format,
        };
        let sent = !matches!(facts.method, "GET" | "HEAD");
        match format {
            Format::Redirect => Slot::Redirect { sent },
            Format::Grpc => Slot::Grpc(protocol.unwrap_or(Protocol::Grpc)),
            Format::Json => Slot::Json {
                language: self.language(facts),
            },
            Format::Text => Slot::Text {
                language: self.language(facts),
            },
            Format::EventStream => Slot::Events {
                language: self.language(facts),
                step: (mix(now, facts.peer) % STEPS as u64) as usize,
            },
            Format::Html | Format::Preflight | Format::Custom => Slot::Html {
                language: self.language(facts),
                sent,
            },
        }
    }

    fn language(&self, facts: &Facts<'_>) -> usize {
        match self.policy.languages.len() {
            0 | 1 => 0,
            _ => pick_language(facts.headers, &self.policy.languages),
        }
    }

    fn texts(&self, language: usize) -> &'static Texts {
        self.policy
            .languages
            .get(language)
            .copied()
            .unwrap_or(LANGUAGES[0])
    }

    fn composer(&self) -> Composer<'_> {
        Composer {
            policy: &self.policy,
            notice: &self.notice,
        }
    }

    fn prepared(&self, slot: Slot) -> &Prepared {
        let languages = self.policy.languages.len() * PER_LANGUAGE;
        let index = match slot {
            Slot::Html { language, sent } => language * PER_LANGUAGE + usize::from(sent),
            Slot::Json { language } => language * PER_LANGUAGE + 2,
            Slot::Text { language } => language * PER_LANGUAGE + 3,
            Slot::Events { language, step } => language * PER_LANGUAGE + 4 + step,
            Slot::Redirect { sent } => languages + usize::from(sent),
            Slot::Grpc(protocol) => languages + 2 + protocol as usize,
        };
        self.slots[index].get_or_init(|| Box::new(self.render(slot)))
    }

    fn render(&self, slot: Slot) -> Prepared {
        let composer = self.composer();
        match slot {
            Slot::Html { language, sent } => self.html(language, sent, None),
            Slot::Json { language } => composer.json(self.texts(language)),
            Slot::Text { language } => composer.text(self.texts(language)),
            Slot::Events { language, step } => composer.events(self.texts(language), step),
            Slot::Redirect { sent } => composer
                .redirect(sent)
                .unwrap_or_else(|| composer.text(self.texts(0))),
            Slot::Grpc(protocol) => composer.grpc(protocol, self.texts(0)),
        }
    }

    /// Whether the page depends on more than the snapshot.
    fn renders_each_request(&self) -> bool {
        self.policy.context.is_some() && matches!(self.policy.page, Page::Template(_))
    }

    /// The page. `facts` are given where it is rendered for one request.
    fn html(&self, language: usize, sent: bool, facts: Option<&Facts<'_>>) -> Prepared {
        let texts = self.texts(language);
        let documented = page_context(&self.policy.words, &self.notice, texts, sent);
        let template = match &self.policy.page {
            Page::Static(body) => {
                let body = Bytes::clone(body);
                return self.composer().html(RenderedPage {
                    body,
                    security_policy: None,
                    language: None,
                });
            }
            Page::Template(template) => Some(template),
            Page::BuiltIn => None,
        };
        let own = template.and_then(|template| {
            let context = match (&self.policy.context, facts) {
                // Of the same names the last counts.
                (Some(more), Some(facts)) => {
                    minijinja::value::merge_maps([more(facts, &self.notice), documented.clone()])
                }
                _ => documented.clone(),
            };
            let body = template
                .render(context)
                .map_err(|error| self.report(&error))
                .ok()?;
            Some(RenderedPage {
                body: body.into(),
                security_policy: None,
                language: template.is_localised().then_some(texts.tag),
            })
        });
        self.composer().html(own.unwrap_or_else(|| {
            let (body, policy) = built_in(documented);
            RenderedPage {
                body: body.into(),
                security_policy: Some(policy),
                language: Some(texts.tag),
            }
        }))
    }

    /// Once: a template that fails for one visitor mostly fails for all of them.
    fn report(&self, error: &minijinja::Error) {
        if !self.template_failed.swap(true, Ordering::Relaxed) {
            tracing::error!(
                site = %self.notice.site,
                error = %error,
                "the page's template cannot be rendered; visitors get the built-in page"
            );
        }
    }
}

impl fmt::Debug for AnswerSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rendered = self
            .slots
            .iter()
            .filter(|slot| slot.get().is_some())
            .count();
        f.debug_struct("AnswerSet")
            .field("policy", &self.policy)
            .field("notice", &self.notice)
            .field("rendered", &rendered)
            .finish_non_exhaustive()
    }
}
