-- What users sent is forgotten, at their wish or after a time; ids, amounts and the ledger stay.

-- Orders name their photo, so its row stays when its bytes go.
ALTER TABLE photos ALTER COLUMN bytes DROP NOT NULL;
CREATE INDEX photos_kept ON photos (stored_at) WHERE bytes IS NOT NULL;

-- Brief, wishes and prompts are gone.
ALTER TABLE orders ADD COLUMN forgotten boolean NOT NULL DEFAULT false;
CREATE INDEX orders_remembered ON orders (placed_at) WHERE NOT forgotten;
-- A photo stays while an order that is remembered names it.
CREATE INDEX orders_of_photo ON orders (photo_id) WHERE NOT forgotten;
