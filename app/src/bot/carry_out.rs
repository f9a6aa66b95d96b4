//! What the conversation commands, done with the services everybody uses. Each may be done again without a second effect.

use bytes::Bytes;
use domain::{
    dialogue::{Command, Outcome, PhotoSource, Picture, Refusal},
    id::{ConfirmationId, FileId, OrderId, UserId},
    job::State,
    order::{self, Order},
    photo::{self, PHOTO_FILE_BYTES_MAX, PhotoError},
};
use ports::{
    ErrorKind, JobFilter, PortError, Posting, Prepared,
    bot::{Chat, ChatAction, ChatEvent, ChatMessage, EventKind, FileRef, InboxUpdate},
};

use super::{BotPorts, handle_update::language, payments};
use crate::{
    Policy, Ports,
    services::{
        account, cancel_job,
        place_order::{self, NewOrder, OrderPlaced, PlaceOrderError},
    },
    texts::{Language, numbered},
};

/// The commands of one update.
pub(super) struct Errands<'a> {
    pub(super) ports: &'a Ports,
    pub(super) bot: &'a BotPorts,
    pub(super) policy: &'a Policy,
    pub(super) update: &'a InboxUpdate,
    pub(super) event: &'a ChatEvent,
    pub(super) chat: &'a mut Chat,
    /// Bills that were written.
    pub(super) bills: Vec<ChatAction>,
}

/// What came of fetching a picture.
enum Fetched {
    Here(Bytes),
    /// It will never come.
    Gone,
    /// It has not come in all the tries a user is kept waiting for.
    NotNow,
}

impl Errands<'_> {
    /// Does what is commanded. What came of it, for commands that are answered.
    ///
    /// # Errors
    /// Those of the ports that another try may not meet.
    pub(super) async fn carry_out(&mut self, command: Command) -> Result<Option<Outcome>, PortError> {
        Ok(Some(match command {
            Command::NoteReferrer(referrer) => {
                // Only who was never here before was invited by anybody.
                if self.chat.version == 0 && referrer != self.chat.user {
                    self.chat.referrer = Some(referrer);
                }
                return Ok(None);
            }
            Command::SetLanguage(to) => {
                if let Some(to) = Language::parse(to.as_str()) {
                    self.chat.language = to.as_str().to_owned();
                }
                return Ok(None);
            }
            Command::AcceptTerms => self.accept_terms().await?,
            Command::CheckPhoto(picture) => self.check_photo(picture).await?,
            Command::PlaceOrder { confirmation, photo, template, brief, wishes, quantity } => {
                let file = match self.photo(&photo).await? {
                    Fetched::Here(file) => file,
                    Fetched::Gone => return Ok(Some(Outcome::NotOrdered(Refusal::PhotoGone))),
                    // An earlier try may have come further than this one.
                    Fetched::NotNow => return Ok(Some(Outcome::NotOrdered(Refusal::Unknown))),
                };
                let confirmation = Some(confirmation);
                let user = self.chat.user;
                self.place(NewOrder {
                    user,
                    confirmation,
                    photo: file,
                    template,
                    brief,
                    wishes,
                    quantity,
                    model: None,
                })
                .await?
            }
            Command::FindOrder { order, is_refused } => match self.own_order(order).await? {
                Some(order) => Outcome::Found { order: Box::new(order), is_refused },
                None => Outcome::NoSuchOrder,
            },
            Command::CancelOrder(order) => self.cancel(order).await?,
            Command::Bill(package) => {
                let language = language(self.chat);
                let bill = payments::bill(self.bot, self.policy, self.update, self.chat, &package, language);
                match bill.await? {
                    Some(bill) => {
                        self.bills.push(bill);
                        Outcome::Billed
                    }
                    None => Outcome::NoSuchPackage,
                }
            }
            Command::ForgetUser => {
                self.bot.privacy.forget_user(self.chat.user).await?;
                self.chat.terms_accepted_at = None;
                Outcome::Forgotten
            }
        }))
    }

    async fn accept_terms(&mut self) -> Result<Outcome, PortError> {
        let user = self.chat.user;
        let gift = self.policy.bot.starter;
        let is_given = self.give(user, gift.value(), &format!("starter:{user}")).await?;
        if self.chat.terms_accepted_at.is_none() {
            self.chat.terms_accepted_at = Some(self.ports.clock.now());
        }
        if let Some(referrer) = self.chat.referrer {
            self.thank(referrer).await?;
        }
        Ok(Outcome::TermsAccepted { gift: is_given.then_some(gift) })
    }

    /// Gives credits once. Whether it was now.
    async fn give(&self, user: UserId, credits: i64, reference: &str) -> Result<bool, PortError> {
        let amount = match domain::money::Credits::new(credits) {
            Ok(amount) if credits > 0 => amount,
            _ => return Ok(false),
        };
        match account::grant(self.ports, user, amount, Some(reference)).await {
            Ok(Posting::Posted(_)) => Ok(true),
            Ok(Posting::Duplicate(_)) => Ok(false),
            // Given before, when the amount was another.
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Thanks whoever invited this user, once.
    async fn thank(&self, referrer: UserId) -> Result<(), PortError> {
        let (user, credits) = (self.chat.user, self.policy.bot.referral.value());
        if credits <= 0 {
            return Ok(());
        }
        let Some(theirs) = self.bot.chats.chat(referrer).await? else { return Ok(()) };
        if theirs.terms_accepted_at.is_none() || theirs.banned_since.is_some() {
            return Ok(());
        }
        self.give(referrer, credits, &format!("referrer:{user}")).await?;
        let text = numbered(language(&theirs), "note-referrer", &[("credits", credits)]);
        let message = ChatAction::Send(ChatMessage { text, keyboard: Vec::new() });
        let now = self.ports.clock.now();
        // The key keeps a second try from telling it twice.
        self.bot.replies.push(&format!("referrer:{user}"), referrer, &[message], now).await?;
        Ok(())
    }

    async fn check_photo(&self, picture: Picture) -> Result<Outcome, PortError> {
        let size = match &self.event.kind {
            EventKind::Picture { file, .. } => file.size,
            _ => None,
        };
        // Telegram gives no larger file to a bot, so there is nothing to fetch.
        if let Some(bytes) = size.filter(|bytes| *bytes > PHOTO_FILE_BYTES_MAX) {
            return Ok(Outcome::PhotoRefused(PhotoError::TooLarge { bytes, max: PHOTO_FILE_BYTES_MAX }));
        }
        let Fetched::Here(bytes) = self.fetch(&picture.file, size).await? else {
            return Ok(Outcome::PhotoLost);
        };
        if let Err(why) = photo::inspect(&bytes) {
            return Ok(Outcome::PhotoRefused(why));
        }
        let terms = self.policy.models.default_model().photo_terms();
        match self.ports.studio.prepare(bytes, &terms).await {
            Ok(Prepared::Ready(_)) => Ok(Outcome::PhotoFine(picture)),
            Ok(Prepared::Refused(why)) => Ok(Outcome::PhotoRefused(why)),
            Err(error) => self.bear(error).map(|()| Outcome::PhotoLost),
        }
    }

    /// Passes over a failure that no further try would mend, or that the user was kept waiting for long enough, and passes
    /// on any other.
    fn bear(&self, error: PortError) -> Result<(), PortError> {
        let is_lasting = matches!(error.kind(), ErrorKind::Rejected | ErrorKind::Inconsistent);
        if !is_lasting && self.update.failures < self.policy.bot.patience {
            return Err(error);
        }
        tracing::warn!(
            user.id = self.chat.user.value(),
            error = &error as &dyn std::error::Error,
            "a user is told that something does not work at present"
        );
        Ok(())
    }

    async fn photo(&self, photo: &PhotoSource) -> Result<Fetched, PortError> {
        match photo {
            PhotoSource::Sent(file) => self.fetch(file, None).await,
            PhotoSource::Kept(id) => match self.ports.photos.get(*id).await {
                Ok(Some(photo)) => Ok(Fetched::Here(photo.bytes)),
                Ok(None) => Ok(Fetched::Gone),
                Err(error) => self.bear(error).map(|()| Fetched::NotNow),
            },
        }
    }

    async fn fetch(&self, file: &FileId, size: Option<u64>) -> Result<Fetched, PortError> {
        let file = FileRef { id: file.as_str().to_owned(), size };
        match self.bot.client.download(&file).await {
            Ok(bytes) => Ok(Fetched::Here(bytes)),
            Err(error) if matches!(error.kind(), ErrorKind::Transient | ErrorKind::AnswerLost) => {
                self.bear(error).map(|()| Fetched::NotNow)
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a picture cannot be fetched");
                Ok(Fetched::Gone)
            }
        }
    }

    async fn place(&self, new: NewOrder) -> Result<Outcome, PortError> {
        let refused = |refusal| Ok(Outcome::NotOrdered(refusal));
        match place_order::place_order(self.ports, self.policy, new).await {
            Ok(OrderPlaced::Placed { order, .. } | OrderPlaced::Duplicate { order }) => {
                Ok(Outcome::Ordered(order))
            }
            Err(PlaceOrderError::Photo(why) | PlaceOrderError::Unfit(order::PlaceOrderError::Photo(why))) => {
                refused(Refusal::Photo(why))
            }
            Err(PlaceOrderError::InsufficientCredits { needed, available, .. }) => {
                refused(Refusal::Credits { needed, available })
            }
            Err(PlaceOrderError::Unfit(order::PlaceOrderError::Prompt(long))) => {
                refused(Refusal::Prompt { chars: long.chars, max: long.max })
            }
            Err(PlaceOrderError::Unfit(order::PlaceOrderError::ModelDisabled { .. })) => {
                refused(Refusal::ModelOff)
            }
            Err(PlaceOrderError::ConfirmationReused(confirmation)) => self.placed_before(&confirmation).await,
            Err(error @ (PlaceOrderError::UnknownModel(_) | PlaceOrderError::Confirmation(_))) => {
                tracing::error!(error = &error as &dyn std::error::Error, "an order cannot be placed");
                refused(Refusal::ModelOff)
            }
            Err(PlaceOrderError::Studio(error) | PlaceOrderError::Store(error)) => {
                self.bear(error).map(|()| Outcome::NotOrdered(Refusal::Unknown))
            }
        }
    }

    /// A confirmation belongs to one draft, so an order of it is that draft's, although the photo may have been prepared
    /// otherwise then.
    async fn placed_before(&self, confirmation: &ConfirmationId) -> Result<Outcome, PortError> {
        const NEWEST: u32 = 20;
        let newest = self.ports.orders.orders_of(self.chat.user, NEWEST).await?;
        let order = newest.iter().find(|order| order.request.confirmation == *confirmation);
        Ok(match order {
            Some(order) => Outcome::Ordered(order.id),
            None => Outcome::NotOrdered(Refusal::ConfirmationUsed),
        })
    }

    /// An order, if it is this user's. The data of a button is no proof of that.
    async fn own_order(&self, order: OrderId) -> Result<Option<Order>, PortError> {
        let order = self.ports.orders.order(order).await?;
        Ok(order.filter(|order| order.request.user == self.chat.user))
    }

    async fn cancel(&self, order: OrderId) -> Result<Outcome, PortError> {
        let Some(order) = self.own_order(order).await? else { return Ok(Outcome::NoSuchOrder) };
        let limit = u32::from(order.request.quantity.videos());
        let filter = JobFilter { order: Some(order.id), limit, ..JobFilter::default() };
        let (mut cancelled, mut going_on) = (0, 0);
        for record in self.ports.jobs.list(&filter).await? {
            match record.job.state {
                // By an earlier try, as a rule.
                State::Cancelled { .. } => cancelled += 1,
                State::Done { .. } | State::Refunded { .. } => {}
                _ => match cancel_job::cancel_job(self.ports, self.policy, record.job.id).await {
                    Ok(_) => cancelled += 1,
                    Err(error) if error.kind() == ErrorKind::Rejected => going_on += 1,
                    Err(error) => return Err(error),
                },
            }
        }
        Ok(Outcome::Cancelled { cancelled, going_on })
    }
}
