package main

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"dataapi/db"
)

// teams is SELECTED_TEAMS as a document of preferences, "" where there are none. It is a JSON object of
// lists, league -> teams, or a list with commas of league:team; a team without a league stands under "teams".
func (c config) teams() (string, error) {
	text := strings.TrimSpace(c.SelectedTeams)
	leagues := map[string][]string{}
	switch {
	case text == "":
		return "", nil
	case text[0] == '{':
		if err := json.Unmarshal([]byte(text), &leagues); err != nil {
			return "", err
		}
	default:
		for item := range strings.SplitSeq(text, ",") {
			league, team, named := strings.Cut(strings.TrimSpace(item), ":")
			if !named {
				league, team = "teams", league
			}
			if team = strings.TrimSpace(team); team != "" {
				leagues[strings.TrimSpace(league)] = append(leagues[strings.TrimSpace(league)], team)
			}
		}
	}
	document, err := json.Marshal(map[string]any{"selected_teams": leagues})
	return string(document), err
}

// takeTeams takes the teams of the environment over, once in the life of a database, as soon as it can be
// written. It returns nil after that, or when ctx has ended.
func takeTeams(ctx context.Context, metadata *db.DB, teams string) error {
	for {
		err := metadata.Write(ctx, func(q *db.Queries) error {
			first, err := q.NoteTeamsTaken(ctx)
			if err == nil && first > 0 {
				err = q.TakeTeams(ctx, teams)
			}
			return err
		})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}
