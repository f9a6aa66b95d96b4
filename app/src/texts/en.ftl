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

operator-key-out = Key { $key } is out of use: { $class } / { $reason }. Check balance and access at KIE.
operator-no-key-left = No working KIE key is left: orders are being refunded. Top up the balance or add a key to KADR_KIE__KEYS.
operator-outage-began = KIE fails broadly: nothing but a probe is submitted until it works again. Orders wait, nobody is refunded for it yet.
operator-outage-ended = KIE works again: waiting orders are submitted little by little.
operator-model-out = KIE does not offer the video model { $model }. Its orders go on with the models of KADR_KIE__FALLBACK that cost no more; where none fits, credits come back. It is tried again by itself; kadr models check shows how it is.
operator-request-refused = KIE refused the form of our request: the model's catalogue entry is wrong. What it said is in the log and in the table attempts.
operator-job-abandoned = Every process that took up this order broke off; it is closed and its credit is back. The log has the cause.
