// Package sql holds every statement that data-api runs, apart from pragmas and transaction control.
package sql

import "embed"

// Migrations holds the dbmate files under migrations/, the one truth of the schema.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Statements about the database as a file rather than about the home; sqlc has no part in them.
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
