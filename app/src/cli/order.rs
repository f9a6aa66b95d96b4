//! `kadr order`.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use domain::{
    id::OrderId,
    job::StateName,
    photo::{self, PHOTO_FILE_BYTES_MAX, PhotoError},
    prompt::Brief,
};
use ports::JobRecord;
use serde_json::json;

use super::{
    Ended, args::OrderArgs, failure::Failure, in_house, output::Output, run::need_keys, shown, signals,
};
use crate::{
    compose::{self, House},
    config::Config,
    services::{
        account,
        await_order::await_order,
        place_order::{NewOrder, OrderPlaced, place_order},
        send_notices::send_what_is_due,
    },
    workers::{self, Stop},
};

/// Exit code of an order that was delivered only in part, or not at all.
const PARTLY: u8 = 3;

/// How often an order that is waited for is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(super) async fn run(new: NewOrder, wait: bool, config: &Config, out: &mut Output) -> Ended {
    if !wait {
        return in_house(config, out, move |house, out| Box::pin(place_only(new, house, out))).await;
    }
    let house = House::open(config, out.messages(), &mut out.noting()).await?;
    let ended = place_and_wait(new, config, &house, out).await;
    house.close().await?;
    ended
}

/// The order, and whether it is waited for, after everything that can be refused before a database is started.
pub(super) fn checked(args: OrderArgs, config: &mut Config) -> Result<(NewOrder, bool), Failure> {
    let wait = args.wait;
    if let Some(dir) = args.out {
        config.delivery.dir = dir;
    }
    if wait {
        need_keys(config)?;
    }
    let brief = Brief::new(&args.brief).map_err(|e| Failure::usage(format!("--brief: {e}")))?;
    let wishes = args.wishes.as_deref().map(Brief::new).transpose();
    let wishes = wishes.map_err(|e| Failure::usage(format!("--wishes: {e}")))?;
    let models = compose::models(config)?;
    if let Some(id) = &args.model
        && !models.iter().any(|model| model.video.id == *id)
    {
        let known = models.iter().map(|model| model.video.id.as_str()).collect::<Vec<_>>().join(", ");
        return Err(Failure::usage(format!(
            "--model: there is no video model `{id}`: choose one of {known}"
        )));
    }
    let photo = read_photo(&args.photo)?;
    photo::inspect(&photo).map_err(|e| Failure::usage(format!("{}: {e}", args.photo.display())))?;
    let new = NewOrder {
        user: args.user,
        confirmation: args.confirmation,
        photo,
        template: args.template,
        brief,
        wishes,
        quantity: args.count,
        model: args.model,
    };
    Ok((new, wait))
}

/// Reads no more than a photo may have, whatever the file turns out to be.
fn read_photo(path: &Path) -> Result<Bytes, Failure> {
    let shown = path.display();
    let unreadable = |e: std::io::Error| {
        Failure::usage(format!(
            "cannot read the photo {shown}: {e}; give the path of a JPEG, PNG or WebP file"
        ))
    };
    // Before opening: opening a pipe waits for somebody to write into it.
    let size = std::fs::metadata(path).map_err(unreadable)?;
    if !size.is_file() {
        let what = if size.is_dir() { "a folder" } else { "not a file" };
        return Err(Failure::usage(format!("{shown} is {what}: give the path of a JPEG, PNG or WebP file")));
    }
    let file = File::open(path).map_err(unreadable)?;
    if size.len() > PHOTO_FILE_BYTES_MAX {
        let error = PhotoError::TooLarge { bytes: size.len(), max: PHOTO_FILE_BYTES_MAX };
        return Err(Failure::usage(format!("{shown}: {error}")));
    }
    let mut bytes = Vec::new();
    file.take(PHOTO_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes.into())
}

async fn place_only(new: NewOrder, house: &House, out: &mut Output) -> Ended {
    let quantity = new.quantity;
    match place_order(&house.ports, &house.policy, new).await? {
        OrderPlaced::Placed { order, jobs, balance } => {
            let jobs: Vec<_> = jobs.iter().map(ToString::to_string).collect();
            let value = json!({
                "order": order.to_string(),
                "duplicate": false,
                "jobs": jobs,
                "held": quantity.price().value(),
                "balance": shown::balance(balance),
            });
            let lines = [
                format!("order {order} is placed: {quantity} held, {} left", balance.available),
                "a running `kadr run` makes the videos; `kadr jobs list` shows how far they are".to_owned(),
            ];
            out.show(&value, &lines)?;
        }
        OrderPlaced::Duplicate { order } => {
            let value = json!({ "order": order.to_string(), "duplicate": true, "held": 0 });
            out.show(
                &value,
                &[format!("this confirmation had placed order {order} before; nothing was held now")],
            )?;
        }
    }
    Ok(0)
}

async fn place_and_wait(new: NewOrder, config: &Config, house: &House, out: &mut Output) -> Ended {
    house.check_delivery()?;
    let user = new.user;
    let (order, is_duplicate) = match place_order(&house.ports, &house.policy, new).await? {
        OrderPlaced::Placed { order, .. } => (order, false),
        OrderPlaced::Duplicate { order } => (order, true),
    };
    let stop = Stop::new();
    let finished = async {
        let jobs = tokio::select! {
            biased;
            jobs = await_order(&house.ports, order, LOOK_EVERY) => Some(jobs),
            () = stop.asked() => None,
        };
        // A second call would insist instead of asking.
        if !stop.is_asked() {
            stop.ask();
        }
        jobs
    };
    let work = async { tokio::join!(workers::work(&house.ports, &house.policy, &stop), finished).1 };
    let jobs = tokio::select! {
        biased;
        jobs = work => jobs,
        () = signals::pass_on(&stop, out.noting()) => None,
        () = house.listen() => None,
    };
    let Some(jobs) = jobs else {
        let told = format!("interrupted: order {order} stays placed, and `kadr run` goes on with it");
        return Err(Failure::interrupted(&told));
    };
    let jobs = jobs?;
    send_what_is_due(&house.ports, &house.policy).await?;
    let balance = account::balance(&house.ports, user).await?;
    let summary = Summary::of(order, &jobs, &config.delivery.dir);
    let mut value = summary.value();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("duplicate".to_owned(), is_duplicate.into());
        fields.insert("balance".to_owned(), shown::balance(balance));
    }
    let mut lines = summary.lines();
    lines.push(format!("balance: {} available, {} held", balance.available, balance.held));
    out.show(&value, &lines)?;
    Ok(if summary.delivered == jobs.len() { 0 } else { PARTLY })
}

/// What became of an order.
struct Summary {
    order: OrderId,
    held: usize,
    delivered: usize,
    refunded: usize,
    files: Vec<PathBuf>,
    jobs: Vec<serde_json::Value>,
}

impl Summary {
    fn of(order: OrderId, jobs: &[JobRecord], dir: &Path) -> Self {
        let delivered: Vec<_> = jobs.iter().filter(|r| r.job.state.name() == StateName::Done).collect();
        // Another worker may have delivered a video to its own folder.
        let files = delivered.iter().map(|r| compose::delivered_file(dir, order, r.job.video));
        Self {
            order,
            held: jobs.len(),
            delivered: delivered.len(),
            refunded: jobs.len() - delivered.len(),
            files: files.filter(|file| file.exists()).collect(),
            jobs: jobs.iter().map(shown::job).collect(),
        }
    }

    fn value(&self) -> serde_json::Value {
        let files: Vec<_> = self.files.iter().map(|file| file.display().to_string()).collect();
        json!({
            "order": self.order.to_string(),
            "held": self.held,
            "captured": self.delivered,
            "released": self.refunded,
            "files": files,
            "jobs": self.jobs,
        })
    }

    fn lines(&self) -> Vec<String> {
        let Self { order, held, delivered, refunded, files, .. } = self;
        let mut lines = vec![
            format!("order {order}: {delivered} of {held} delivered, {refunded} refunded"),
            format!("credits: {held} held, {delivered} captured, {refunded} released"),
        ];
        lines.extend(files.iter().map(|file| format!("  {}", file.display())));
        if files.len() < *delivered {
            let elsewhere = delivered - files.len();
            lines.push(format!("  {elsewhere} more saved by another worker, in the folder it delivers to"));
        }
        lines
    }
}
