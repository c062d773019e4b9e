-- Gets what a user prefers: the defaults, with no updated_at, where nothing was stored.
-- name: GetPreferences :one
SELECT CAST(@user_id AS TEXT) AS user_id, coalesce(p.document, d.document) AS document, p.updated_at
FROM preference_defaults AS d
LEFT JOIN preferences AS p ON p.user_id = @user_id;

-- Stores what a user prefers, as a whole.
-- name: SavePreferences :exec
INSERT INTO preferences (user_id, document) VALUES (@user_id, @document)
ON CONFLICT (user_id) DO UPDATE SET
  document = excluded.document,
  updated_at = excluded.updated_at
WHERE excluded.document <> preferences.document;

-- Merges a patch (RFC 7396) into what a user prefers.
-- name: MergePreferences :exec
INSERT INTO preferences (user_id, document)
SELECT CAST(@user_id AS TEXT), json_patch(coalesce(p.document, d.document), CAST(@patch AS TEXT))
FROM preference_defaults AS d
LEFT JOIN preferences AS p ON p.user_id = @user_id
WHERE TRUE
ON CONFLICT (user_id) DO UPDATE SET
  document = excluded.document,
  updated_at = excluded.updated_at
WHERE excluded.document <> preferences.document;

-- Deletes what a user stored, so that the defaults hold again.
-- name: DeletePreferences :exec
DELETE FROM preferences WHERE user_id = @user_id;

-- Notes that the teams of the environment are taken over. Counts 0 where they were before.
-- name: NoteTeamsTaken :execrows
UPDATE preference_defaults SET teams_taken_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
WHERE teams_taken_at IS NULL;

-- Gives the user default the teams of a document, where there is no choice of teams yet.
-- name: TakeTeams :exec
INSERT INTO preferences (user_id, document)
SELECT 'default', json_patch(coalesce(p.document, d.document), CAST(@teams AS TEXT))
FROM preference_defaults AS d
LEFT JOIN preferences AS p ON p.user_id = 'default'
WHERE p.document IS NULL OR coalesce(p.document ->> 'selected_teams', '{}') = '{}'
ON CONFLICT (user_id) DO UPDATE SET
  document = excluded.document,
  updated_at = excluded.updated_at;
