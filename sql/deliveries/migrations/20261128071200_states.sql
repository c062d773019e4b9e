-- How far each webhook has come in the history's recent states, empty where it never wanted any; and the
-- place there after a message, empty where the line is past it or it is of no state.
-- migrate:up
ALTER TABLE lines ADD COLUMN states TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN states TEXT NOT NULL DEFAULT '';

-- migrate:down
ALTER TABLE deliveries DROP COLUMN states;
ALTER TABLE lines DROP COLUMN states;
