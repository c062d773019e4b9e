// Package sql holds every statement that data-api runs, apart from pragmas and transaction control.
package sql

import (
	"embed"
	"io/fs"
)

// Migrations holds the dbmate files under migrations/, the one truth of the metadata's schema.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// History holds those under history/migrations/, the truth of the schema of the embedded history.
//
//go:embed history/migrations/*.sql
var History embed.FS

// Deliveries holds those under deliveries/migrations/, the truth of the schema of what webhooks were sent.
//
//go:embed deliveries/migrations/*.sql
var Deliveries embed.FS

// Kind is a sort of database file that data-api keeps.
type Kind int

// The sorts that there are. A file of one is refused where one of another is expected.
const (
	OfMetadata Kind = iota
	OfHistory
	OfDeliveries
)

// Migrations returns the dbmate files that make a file of the kind, and the folder that they are in.
func (k Kind) Migrations() (fs.ReadDirFS, string) {
	switch k {
	case OfHistory:
		return History, "history/migrations"
	case OfDeliveries:
		return Deliveries, "deliveries/migrations"
	}
	return Migrations, "migrations"
}

// Probe is the statement that reads the newest migration and a row of each of two large tables.
func (k Kind) Probe() string {
	switch k {
	case OfHistory:
		return Admin("probe_history")
	case OfDeliveries:
		return Admin("probe_deliveries")
	}
	return Admin("probe")
}

// Statements about the database as a file rather than about the home, and about what sqlc takes for no table; it has no
// part in them.
//
//go:embed admin/*.sql
var admin embed.FS

// Admin returns the statements of admin/NAME.sql. It panics if there is no such file.
func Admin(name string) string {
	text, err := admin.ReadFile("admin/" + name + ".sql")
	if err != nil {
		panic(err)
	}
	return string(text)
}
