//! What goes wrong.

use crate::time::luck;

/// Something that goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429; the chat is closed for so many seconds.
    TooMany(u64),
    /// 403, as if the user had stopped the bot.
    Blocked,
    /// Such a status of a server that has trouble, 500 to 599; nothing is done.
    Server(u16),
    /// The connection drops before anything is done.
    RequestLost,
    /// It is done, and then the connection drops.
    AnswerLost,
}

/// A fault that is planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Of which method, in any letter case; of any, if none is named. Downloads are called `download`.
    pub method: Option<String>,
    /// To which chat; to any, if none is named.
    pub chat: Option<i64>,
    /// How many calls meet it.
    pub times: u32,
    /// What happens.
    pub fault: Fault,
}

impl Plan {
    /// The next call of a method meets a fault.
    #[must_use]
    pub fn next(method: &str, fault: Fault) -> Self {
        Self { method: Some(method.to_owned()), chat: None, times: 1, fault }
    }

    /// Only calls to this chat.
    #[must_use]
    pub fn to_chat(mut self, chat: i64) -> Self {
        self.chat = Some(chat);
        self
    }

    /// So many calls.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }
}

/// Shares of all calls that go wrong by chance, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Odds {
    /// 429 for 1 to 5 seconds.
    pub too_many: f64,
    /// 502.
    pub server: f64,
    /// The connection drops first.
    pub request_lost: f64,
    /// The connection drops afterwards.
    pub answer_lost: f64,
}

/// What is planned and what chance does.
#[derive(Debug, Default)]
pub(super) struct Faults {
    plans: Vec<Plan>,
}

impl Faults {
    pub(super) fn plan(&mut self, plan: Plan) {
        self.plans.push(plan);
    }

    /// The fault this call meets, if one was planned.
    pub(super) fn planned(&mut self, method: &str, chat: Option<i64>) -> Option<Fault> {
        let fits = |plan: &Plan| {
            plan.times > 0
                && plan.method.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(method))
                && plan.chat.is_none_or(|id| chat == Some(id))
        };
        let found = self.plans.iter().position(fits)?;
        let plan = &mut self.plans[found];
        plan.times -= 1;
        let fault = plan.fault;
        if plan.times == 0 {
            self.plans.remove(found);
        }
        Some(fault)
    }
}

impl Odds {
    /// What chance does to the `nth` call of a method to a chat. Drawn by what it happens to: one call more in one chat
    /// moves no other chat's luck.
    pub(super) fn draw(&self, seed: u64, method: &str, chat: i64, nth: u64) -> Option<Fault> {
        let drawn = luck(seed, method, &[chat.cast_unsigned(), nth]);
        let mut upper = 0.0;
        let mut falls = |share: f64| {
            upper += share;
            drawn < upper
        };
        if falls(self.too_many) {
            return Some(Fault::TooMany(1 + nth % 5));
        }
        if falls(self.server) {
            return Some(Fault::Server(502));
        }
        if falls(self.request_lost) {
            return Some(Fault::RequestLost);
        }
        falls(self.answer_lost).then_some(Fault::AnswerLost)
    }
}
