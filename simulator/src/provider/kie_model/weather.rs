//! What goes wrong by chance and by the clock, drawn by what it happens to and never by the order of calls: the same
//! order meets the same weather, whoever else is served before it.

use std::time::Duration;

use domain::time::Timestamp;

use super::{
    Call, Fate, Trouble,
    words::{self, No},
};
use crate::{
    scenario::{Errors, OutageKind},
    time::luck,
};

/// What stands before a seller's article number in a brief of the simulator's users, and so in every prompt. The
/// weather is drawn by that number.
pub const ARTICLE: &str = "артикул ";

/// How long the lookup may not know a new task at most. Nobody measured it; it is longer than the time to a first
/// look, or nobody would notice.
pub const UNSEEN_MAX: Duration = Duration::from_secs(90);

/// The weather of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weather {
    /// Where chance comes from.
    pub seed: u64,
    /// What goes wrong by chance.
    pub errors: Errors,
    /// What goes wrong at a time.
    pub storms: Vec<Storm>,
}

/// Something wrong from one instant to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Storm {
    /// From this instant on.
    pub from: Timestamp,
    /// Before this one.
    pub to: Timestamp,
    /// What is wrong.
    pub what: OutageKind,
    /// The share of calls it hits.
    pub share: f64,
    /// The only account it hits, counted from 0.
    pub account: Option<usize>,
    /// The only model it hits, by its slug; all of them when left out.
    pub model: Option<String>,
}

/// One call, as the weather sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) call: Call,
    pub(super) account: Option<usize>,
    pub(super) now: Timestamp,
    /// What the call is about: a task's or file's name, or the model of a createTask call.
    pub(super) about: &'a str,
    /// The order behind a createTask call, and the how many-th such call for it this is.
    pub(super) order: Option<(u64, u64)>,
}

impl Asked<'_> {
    fn luck(&self, seed: u64, what: &str) -> f64 {
        match self.order {
            Some((article, nth)) => luck(seed, what, &[article, nth]),
            None => {
                let millis = u64::try_from(self.now.as_millis()).unwrap_or_default();
                luck(seed, self.about, &[self.call as u64, millis, what.len() as u64])
            }
        }
    }
}

/// The article number in a brief or a prompt.
#[must_use]
pub fn article_of(prompt: &str) -> Option<u64> {
    let digits = prompt.split_once(ARTICLE)?.1;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

impl Weather {
    /// What happens to a call instead of its answer.
    pub(super) fn trouble(&self, asked: &Asked<'_>) -> Option<Trouble> {
        self.storm_trouble(asked).or_else(|| self.chance_trouble(asked))
    }

    fn storm_trouble(&self, asked: &Asked<'_>) -> Option<Trouble> {
        let is_create = asked.call == Call::Create;
        self.storms.iter().find_map(|storm| {
            let trouble = match storm.what {
                OutageKind::Gateway => Trouble::GatewayPage,
                OutageKind::Maintenance if is_create => Trouble::Refuse(No::new(500, words::MAINTENANCE)),
                OutageKind::Silent if is_create => Trouble::AnswerLost,
                OutageKind::TooFast if is_create => Trouble::Refuse(No::new(429, words::TOO_FAST)),
                OutageKind::ModelPaused if is_create => Trouble::Refuse(No::new(500, words::PAUSED)),
                OutageKind::NoCredits if is_create => Trouble::Refuse(No::new(402, words::NO_CREDITS)),
                OutageKind::KeysRefused if is_create => Trouble::Refuse(No::new(401, words::UNAUTHORIZED)),
                _ => return None,
            };
            self.hits(storm, asked).then_some(trouble)
        })
    }

    fn hits(&self, storm: &Storm, asked: &Asked<'_>) -> bool {
        (storm.from..storm.to).contains(&asked.now)
            && storm.account.is_none_or(|account| asked.account == Some(account))
            && storm.model.as_ref().is_none_or(|slug| asked.about == slug)
            && (storm.share >= 1.0 || asked.luck(self.seed, "storm") < storm.share)
    }

    fn chance_trouble(&self, asked: &Asked<'_>) -> Option<Trouble> {
        let errors = &self.errors;
        if errors.gateway_page > 0.0 && asked.luck(self.seed, "gateway page") < errors.gateway_page {
            return Some(Trouble::GatewayPage);
        }
        let (article, _) = asked.order?;
        if luck(self.seed, "refused at once", &[article]) < errors.user_violation_at_once {
            return Some(Trouble::Refuse(No::new(400, words::PEOPLE_AT_ONCE)));
        }
        let draw = asked.luck(self.seed, "submission");
        first_of(
            draw,
            [
                (errors.rate_limited, || Trouble::Refuse(No::new(429, words::TOO_FAST))),
                (errors.billing, || Trouble::Refuse(No::new(402, words::NO_CREDITS))),
                (errors.answer_lost, || Trouble::AnswerLost),
                (errors.answer_cut, || Trouble::AnswerCut),
            ],
        )
    }

    /// What becomes of a task that was accepted.
    pub(super) fn fate(&self, asked: &Asked<'_>) -> Option<Fate> {
        let fails = |after: Option<u64>, code: &str, msg: &str| Fate::Fails {
            after: after.map(Duration::from_secs),
            code: code.to_owned(),
            msg: msg.to_owned(),
        };
        let errors = &self.errors;
        let (article, _) = asked.order?;
        if luck(self.seed, "refused photo", &[article]) < errors.user_violation {
            return Some(fails(Some(8), "400", words::PEOPLE));
        }
        let falls = |storm: &&Storm| storm.what == OutageKind::RendersFail && self.hits(storm, asked);
        if self.storms.iter().any(|storm| falls(&storm)) {
            return Some(fails(Some(40), "500", words::INTERNAL));
        }
        match draw_fate(asked.luck(self.seed, "fate"), errors)? {
            Drawn::Temporary => Some(fails(Some(40), "500", words::INTERNAL)),
            Drawn::Unknown => Some(fails(Some(40), "GENERATION_FAILED", words::NOTHING_SAID)),
            Drawn::Late => Some(fails(None, "500", words::SIMILARITY)),
            Drawn::Unseen => {
                let share = asked.luck(self.seed, "unseen for");
                Some(Fate::UnseenFor(UNSEEN_MAX.mul_f64(share)))
            }
            Drawn::Other(fate) => Some(fate),
        }
    }
}

enum Drawn {
    Temporary,
    Unknown,
    Late,
    Unseen,
    Other(Fate),
}

fn draw_fate(draw: f64, errors: &Errors) -> Option<Drawn> {
    first_of(
        draw,
        [
            (errors.temporary, || Drawn::Temporary),
            (errors.unknown, || Drawn::Unknown),
            (errors.user_violation_late, || Drawn::Late),
            (errors.never_ends, || Drawn::Other(Fate::NeverEnds)),
            (errors.no_result, || Drawn::Other(Fate::NoResult)),
            (errors.dead_link, || Drawn::Other(Fate::DeadLink)),
            (errors.unseen, || Drawn::Unseen),
            (errors.strange_state, || Drawn::Other(Fate::StrangeState("archiving".to_owned()))),
        ],
    )
}

/// The one of several mutually exclusive things that a number in `0.0..1.0` falls on.
fn first_of<T, const N: usize>(draw: f64, shares: [(f64, fn() -> T); N]) -> Option<T> {
    let mut upto = 0.0;
    shares.into_iter().find_map(|(share, make)| {
        upto += share;
        (draw < upto).then(make)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(now: i64, article: u64) -> Asked<'static> {
        Asked {
            call: Call::Create,
            account: Some(0),
            now: Timestamp::from_millis(now),
            about: "",
            order: Some((article, 1)),
        }
    }

    #[test]
    fn the_article_number_is_found_in_a_prompt() {
        assert_eq!(article_of("Кружка, артикул 00042. Тёплая."), Some(42));
        assert_eq!(article_of("артикул 7"), Some(7));
        for without in ["a mug", "артикул ", "артикул x"] {
            assert_eq!(article_of(without), None, "{without}");
        }
    }

    #[test]
    fn shares_are_kept_over_many_orders_and_do_not_depend_on_the_time() {
        let errors = Errors { temporary: 0.08, user_violation: 0.03, dead_link: 0.01, ..Errors::default() };
        let weather = Weather { seed: 7, errors, storms: Vec::new() };
        let fates: Vec<_> = (0..20_000).map(|n| weather.fate(&asked(n, n.unsigned_abs()))).collect();
        let share = |is: &dyn Fn(&Fate) -> bool| {
            f64::from(u32::try_from(fates.iter().flatten().filter(|f| is(f)).count()).unwrap()) / 20_000.0
        };
        let temporary = share(&|f| matches!(f, Fate::Fails { msg, .. } if msg == words::INTERNAL));
        let refused = share(&|f| matches!(f, Fate::Fails { msg, .. } if msg == words::PEOPLE));
        assert!((0.07..0.09).contains(&temporary) && (0.025..0.035).contains(&refused));
        let again: Vec<_> = (0..20_000).map(|n| weather.fate(&asked(5, n))).collect();
        assert_eq!(fates, again);
    }

    #[test]
    fn a_storm_hits_its_account_while_it_lasts() {
        let storm = Storm {
            from: Timestamp::from_millis(10),
            to: Timestamp::from_millis(20),
            what: OutageKind::Maintenance,
            share: 1.0,
            account: Some(1),
            model: None,
        };
        let weather = Weather { storms: vec![storm], ..Weather::default() };
        let of = |account, now| weather.trouble(&Asked { account: Some(account), ..asked(now, 1) });
        assert!(matches!(of(1, 10), Some(Trouble::Refuse(no)) if no.msg == words::MAINTENANCE));
        assert_eq!((of(1, 9), of(1, 20), of(0, 15)), (None, None, None));
    }
}
