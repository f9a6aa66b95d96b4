# What users read. Every refusal says what happened and what to change.

## The course of an order

order-accepted = 🎬 We are on it: { $videos ->
        [one] { $videos } video
       *[other] { $videos } videos
    }. { $credits ->
        [one] { $credits } credit is set aside
       *[other] { $credits } credits are set aside
    }; a video that does not work out gives its credit back.
writing-prompt = ✍️ Preparing the script from your photo and description.
rendering = 🎥 Your video is being made. It usually takes about { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
    }. You will get it as soon as it is ready.
retrying = 🔄 The video service failed. We try again in { $seconds ->
        [one] { $seconds } second
       *[other] { $seconds } seconds
    } (try { $retry } of { $of }). This costs you nothing.
provider-down = ⏸ The video service is having trouble. Your video waits in line and starts by itself as soon as the service works again; your credit is safe.
cancelled = Cancelled: this video will not be made.
credit-back = { $credits ->
        [one] 💳 { $credits } credit is back on your balance.
       *[other] 💳 { $credits } credits are back on your balance.
    }

place-in-line = 🕐 { $ahead ->
        [one] { $ahead } video is
       *[other] { $ahead } videos are
    } before yours. One usually takes about { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
    }.
first-in-line = 🕐 We start at once. A video usually takes about { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
    }.
balance-now = You have { $credits ->
        [one] { $credits } credit
       *[other] { $credits } credits
    }.

command-menu = Main menu
command-account = Balance and history
command-help = How it works
command-cancel = Drop what is being filled in
command-support = Write to support
command-privacy = What we keep and how to delete it

update-failed = 😔 Something went wrong on our side, and we know about it. No credits are lost. Press /menu and try again.
video-label = Video { $number } of { $of }
caption = Done! Here is your video ✨
caption-of-several = Done! Video { $number } of { $of } ✨
caption-stand-in = Made with { $model }: the service does not offer { $ordered } at present. The price is the same.

## The photo or the text was refused

refused-people-in-photo = ⚠️ The video service did not take the photo: it saw a person or a face. Photograph the product alone, without people, hands or faces (on the packaging and in the background too), and order again.
refused-third-party-likeness = ⚠️ The video service saw somebody else's brand, character or a well-known person. Remove them from the photo and the description (logos, names, film and cartoon heroes) and order again.
refused-nudity = ⚠️ The video service found the photo or the text too revealing. Show underwear and swimwear without a model on a plain background, leave hints at nudity out of the description, and order again.
refused-violence = ⚠️ The video service saw violence, blood or weapons in the photo or the text. Remove such things and words, describe a peaceful use of the product, and order again.
refused-hate = ⚠️ The video service saw an insult to people in the photo or the text. Rewrite the description neutrally, remove disputed words and symbols, and order again.
refused-self-harm = ⚠️ The video service saw the subject of self-harm in the photo or the text. Describe the product without injuries or dangerous acts and order again. If things are hard for you now, please talk to somebody close or call a helpline.
refused-illegal-activity = ⚠️ The video service saw a forbidden or dangerous product or act in the photo or the text. Check for anything that must not be sold or shown, change the description, and order again.
refused-photo = ⚠️ The video service did not take the photo and did not say why. Mostly it is people, famous brands or lettering: photograph the product alone on a plain background and order again.
refused-prompt = ⚠️ The video service did not take the text and did not say why. Describe the product more simply: what it is, for whom, what it is good for, without names, other brands or harsh words. Then order again.
refused-moderation = ⚠️ The video service refused this order by its rules and did not say whether for the photo or the text. Photograph the product alone without people or other logos, simplify the description, and order again.

## The photo or the text does not work technically

unusable-photo = 🖼 The video service could not read the photo. Send another one: JPEG, PNG or WebP up to 10 MB, sharp, with the whole product in it. Then order again.
unusable-prompt = 📝 The text did not suit the video service: too long, too short, or not words. Describe the product in two or three plain sentences and order again.

## Not your fault

refund-no-key = 🛠 Making videos is temporarily not working, and it is not your fault: photo and text are fine. We are repairing it. Try later, or write to support if it is urgent.
refund-model-unavailable = 🛠 The video model is switched off at the service. Photo and text need no change: try later or choose another model. If it is urgent, write to support.
refund-our-fault = 🛠 The mistake is ours, and we know about it. Photo and text need no change: try a little later, and write to support if it happens again.
refund-retries-exhausted = 😔 The video service failed several times in a row and the video did not work out. Photo and text need no change: try later, and write to support if it happens again.
refund-too-busy = ⏳ The video service has been overloaded for too long, and we did not want to keep you waiting. Photo and text need no change: try again in an hour or two.
refund-provider-down = 🛠 The video service has been down for too long, and we did not want to keep you waiting. Photo and text need no change: try again in an hour or two.
refund-undeliverable = 📦 The video was made but could not be handed over, however often we tried. Nothing needs changing: order again, and write to support if it happens again.
refund-recipient-gone = 📪 The video is ready, but messages do not reach you: the bot seems to be stopped. Start it again and order once more.

## To the operator

operator-update-parked = Update { $update } could not be handled, however often it was tried: it is put aside (table inbox, the cause is in last_error). The user was told.
operator-key-out = Key { $key } is out of use: { $class } / { $reason }. Check balance and access at KIE.
operator-no-key-left = No working KIE key is left: orders are being refunded. Top up the balance or add a key to KADR_KIE__KEYS.
operator-outage-began = KIE fails broadly: nothing but a probe is submitted until it works again. Orders wait, nobody is refunded for it yet.
operator-outage-ended = KIE works again: waiting orders are submitted little by little.
operator-model-out = KIE does not offer the video model { $model }. Its orders go on with the models of KADR_KIE__FALLBACK that cost no more; where none fits, credits come back. It is tried again by itself; kadr models check shows how it is.
operator-request-refused = KIE refused the form of our request: the model's catalogue entry is wrong. What it said is in the log and in the table attempts.
operator-job-abandoned = Every process that took up this order broke off; it is closed and its credit is back. The log has the cause.

## The conversation: buttons

button-accept-terms = ✅ I accept, let's go
button-create = 🎬 Create a video
button-resume = ▶️ Continue the order
button-menu = 🏠 Main menu
button-account = 👤 Account
button-help = ❓ Help
button-history = 🧾 History
button-languages = 🌐 Language
button-support = 💬 Support
button-privacy = 🔒 My data
button-ask-deletion = 🗑 Delete my data
button-own-prompt-instead = ✍️ I write the prompt
button-template-ugc = 🤳 UGC blogger
button-template-ad = ✨ Ad video
button-template-own = ✍️ Own prompt
button-no-wishes = No wishes
button-accept-prompt = ✅ That's right
button-edit-prompt = ✏️ Edit
button-quantity = { $videos ->
        [one] { $videos } video ({ $videos } credit)
       *[other] { $videos } videos ({ $videos } credits)
    }
button-confirm = ✅ Create
button-change-template = 🔁 Another template
button-cancel = ✖️ Cancel
button-new-photo = 📷 Another photo
button-new-text = 📝 Another text
button-change-nothing = 🔁 Leave it as it is
button-delete = 🗑 Yes, delete
button-keep-data = No, keep it
button-again = 🔁 Make another
button-try-again = 🔁 Try again
button-cancel-order = ✖️ Cancel the order
language-ru = Русский
language-en = English

## The conversation: questions

screen-terms = Hello! I turn a photo of your product into a vertical video of 10 to 15 seconds: for Reels, TikTok and marketplace pages.

    Send a photo, describe the product, choose a template, and a few minutes later the video is ready. If it does not work out, the credit comes back by itself.

    Use only photos you have the rights to: nobody in the frame and no brands of others. We pass photo and text on to the services that write the script and make the video; more: /privacy. By tapping the button you accept these terms.
screen-terms-link = The full terms: { $url }
screen-samples = Sample clips: { $url }
screen-menu = You have { $credits ->
        [one] { $credits } credit
       *[other] { $credits } credits
    }. A video costs 1 credit. What shall we do?
screen-ask-photo = 📷 Send a photo of the product: JPEG, PNG or WebP, also as a file.

    One product, close up, on a plain background works best. No people, faces or hands in the frame and no famous brands: the video service does not take such photos.
screen-ask-brief = 📝 Describe the product: what it is, for whom, what it is good for. Two or three sentences will do.
screen-ask-template = 🎞 Which video shall it be?

    🤳 UGC blogger: a person talks about the product, as in a real review.
    ✨ Ad video: the product alone, no people.
    ✍️ Own prompt: you write what happens in the frame.
screen-ask-wishes = 💡 Any wishes? A place, a mood or a phrase, for example. If not, send "-" or tap the button.
screen-ask-prompt = ✍️ Write the prompt: what happens in the frame, how the camera moves, what is heard. Up to { $max ->
        [one] { $max } character fits
       *[other] { $max } characters fit
    }. We only add that the product must look exactly as in the photo.
screen-check-prompt = Your prompt:

    { $text }

    Is that right? To change it, just send another text.
screen-ask-quantity = 🔢 How many videos? Each will be different. You have { $credits ->
        [one] { $credits } credit
       *[other] { $credits } credits
    }.
screen-confirm = Check your order:

    Template: { $template }
    { $text }

    Videos: { $videos }. Price: { $videos ->
        [one] { $videos } credit
       *[other] { $videos } credits
    }, your balance is { $credits }. It usually takes about { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
    }.
screen-confirm-wishes = Wishes: { $text }
template-ugc = UGC blogger
template-ad = ad video
template-own = own prompt
screen-ordered = ✅ The order is taken. We tell you about each step right here. While a video waits its turn, the order can be cancelled.
screen-ask-what-to-change = What shall change for another try? You may also send another photo right away.
screen-ask-deletion = 🗑 Delete your data? We erase photos, descriptions, prompts and this conversation. Only records of credits and payments stay: bookkeeping requires them. Orders that are in the making will be finished. What is deleted cannot be brought back.
screen-stale-button = This button is not valid any more.
screen-banned = You are barred from this bot. If that is a mistake, write to support. { $support }
screen-more = … and { $chars ->
        [one] { $chars } more character
       *[other] { $chars } more characters
    }

## The conversation: pages

page-help = ❓ How it works

    1. Send a photo of the product.
    2. Describe it.
    3. Choose a template and how many videos: 1, 3 or 5.
    4. Confirm: a video costs 1 credit.

    If a video does not work out, its credit comes back by itself, and we explain why.

    /new: a new video
    /menu: the main menu
    /account: balance and history
    /cancel: drop what you are filling in
    /language: language
    /privacy: your data
    /support: support
    /paysupport: questions about payments
page-privacy = 🔒 Your data

    We keep your photo, description and prompts to make the video and to repeat an order. Photo and text go to the service that writes the script (OpenAI or a compatible one) and to the video service KIE.AI. We pass them to nobody else and train nothing on them.

    Everything but records of credits and payments can be deleted at any time: /delete_me.
page-privacy-link = The full text: { $url }
page-support = 💬 Support. { $support }
page-paysupport = 💳 Questions about payments and refunds are answered by us, not by Telegram. Say when you paid and for what. { $support }
page-account = 👤 Your number: { $user }
    Balance: { $credits ->
        [one] { $credits } credit
       *[other] { $credits } credits
    }
    Set aside for orders: { $held }
page-invite = Invite a friend: { $url }
    Once they begin, you get { $credits ->
        [one] { $credits } credit
       *[other] { $credits } credits
    }.
page-history = 🧾 The latest movements of credits (Moscow time):
page-history-empty = 🧾 No movements yet.
page-languages = 🌐 Which language shall we speak?
support-contact = Write to us: { $contact }
support-unknown = No contact is given yet: ask whoever gave you the link to this bot.

## The conversation: history

history-grant = given
history-purchase = bought
history-adjustment = corrected by support
history-hold = set aside for an order
history-capture = video ready, a credit set aside was spent
history-release = a credit came back: { $why }
why-violation = the video service refused photo or text
why-input = photo or text did not do
why-no-key = making videos was out of order
why-model-unavailable = the video model was switched off
why-our-fault = a mistake of ours
why-retries-exhausted = the video service failed
why-too-busy = the video service was overloaded
why-provider-down = the video service was down
why-undeliverable = the video could not be handed over
why-recipient-gone = the bot was stopped
why-cancelled = the order was cancelled
why-unknown = the video did not work out

## The conversation: notes

note-welcome = Done, the terms are accepted!
note-gift = 🎁 Here { $credits ->
        [one] is { $credits } credit
       *[other] are { $credits } credits
    } for you: the first video is on us.
note-terms-first = First the terms have to be accepted: it is one button.
note-photo-taken = ✅ The photo is fine.
note-album-first = The album has several photos: I take the first one.
note-photo-replaced = ✅ I took the new photo instead of the former one.
note-photo-lost = I could not fetch this photo from Telegram. Please send it once more.
note-photo-gone = We do not have the former photo any more. Please send it once more.
note-brief-kept = I noted the description. Only the photo is missing.
note-text-empty = There is no text in this message.
note-text-too-long = Too long: { $chars } characters, and { $max } fit. Please shorten it.
note-prompt-too-long = The prompt is too long: { $chars } characters, and { $max } fit. Please shorten it.
note-not-useful = I cannot do anything with such a message. Photos (JPEG, PNG, WebP, also as files) and plain text will do.
note-text-unasked = To make a video, tap "Create a video" or just send a photo of the product.
note-unknown-command = I do not know this command. All commands: /help.
note-use-buttons = Please answer this one with a button.
note-no-such-quantity = You can order 1, 3 or 5 videos.
note-not-enough = Not enough credits: { $needed } are needed, you have { $available }. Nothing was taken. Choose fewer videos.
note-model-off = 🛠 We are not taking videos at the moment. Nothing was taken, your order is kept: continue it later.
note-confirm-anew = Please confirm once more.
note-order-unknown = I could not find out whether the order was taken. Tap "Create" once more: it is never charged twice.
note-kept-for-again = Photo and description are the same.
note-dropped = Dropped. Nothing was taken.
note-nothing-to-drop = There is nothing to drop. An order that waits its turn is cancelled by the button below its message.
note-no-such-order = I found no such order.
note-cancelled-all = The order is cancelled, the credits are back.
note-cancelled-some = Videos cancelled: { $cancelled }, their credits are back. Still in the making: { $goingon }, they cannot be stopped.
note-cancelled-none = It is too late to cancel: the video is in the making.
note-cancelled-late = This order is finished already.
note-language-set = Now we speak English.
note-forgotten = Your data are deleted.
note-data-kept = I deleted nothing.
note-nothing-known = There is nothing to delete: we have no photos, texts or conversation of yours.
note-begun-anew = The bot was updated and the unfinished order was not kept: let us begin with the menu. Credits and orders taken are untouched.
note-referrer = 🎁 Somebody new came by your invitation. { $credits ->
        [one] { $credits } credit is
       *[other] { $credits } credits are
    } yours.
note-payments-closed = Credits cannot be bought at the moment. No money was taken.

## A photo that does not do

photo-empty = The file is empty. Send a photo: JPEG, PNG or WebP.
photo-too-large = The file is too large: up to { $max } MB will do. Send a smaller photo, or send it as a photo and not as a file.
photo-unsupported-format = I cannot open this format. Save the picture as JPEG, PNG or WebP and send it again.
photo-heic = This is a HEIC, which I cannot open. Send it as a photo and not as a file. Or choose Settings → Camera → Formats → Most Compatible on the iPhone and take it again.
photo-too-small = The photo is too small: { $width }×{ $height }. Each side needs at least { $min } pixels.
photo-too-many-pixels = The photo has too many pixels: { $width }×{ $height }. Send it as a photo and not as a file.
photo-too-stretched = The photo is too long and narrow: { $width }×{ $height }. Crop it to the product.
photo-damaged = The file is damaged and does not open. Open it on your side, save it anew and send it again.
photo-truncated = The file did not arrive whole. Please send it once more.
photo-not-for-model = The video service does not read this format. Save the photo as JPEG and send it again.
photo-not-an-image = This is not a picture. Send a photo of the product: JPEG, PNG or WebP.

## Buying credits

button-top-up = ⭐ Buy credits
button-package = { $credits ->
        [one] { $credits } credit
       *[other] { $credits } credits
    } for { $stars } ⭐
page-top-up = ⭐ Credits are bought with Telegram Stars. A video costs 1 credit; one that does not work out gives its credit back by itself. Choose a package:
invoice-title = { $credits ->
        [one] { $credits } credit
       *[other] { $credits } credits
    }
invoice-description = Credits for videos of product photos: { $credits }. A video costs 1 credit.
note-package-gone = This package is not on sale any more. These are:
note-offer-gone = This bill is not valid any more. No money was taken. Open a new one: /buy
note-paid = ✅ Paid, thank you! You have { $credits ->
        [one] { $credits } credit
       *[other] { $credits } credits
    }.
note-payment-returned = This payment could not be credited, so your Stars went back to you. Open a new bill: /buy
note-paid-back = The Stars of a purchase went back to you, so credits were taken back: { $taken }. Left: { $credits }.
history-purchase-refund = purchase given back
