package server

import (
	"net/http"
	"reflect"

	"dataapi/db"
	"dataapi/db/deliveries"
	"dataapi/internal/backup"
	"dataapi/internal/stateevent"
)

// The contract tests stand outside of the package, and need this of it.

// Contract is openapi.yaml.
var Contract = contract

// ContractRoute is a row of the route table.
type ContractRoute struct {
	Method, Path, ID string
	Endpoint         http.Handler // the route itself, without the router
}

// ContractRoutes is the route table of a server.
func ContractRoutes(s *Server) []ContractRoute {
	var all []ContractRoute
	for _, rt := range s.routes() {
		all = append(all, ContractRoute{rt.method, rt.path, rt.id, s.answer(rt.handle)})
	}
	return all
}

// ContractTypes are the types that are encoded, by the name of their schema. What is inside of them
// follows from them.
var ContractTypes = map[string]reflect.Type{
	"Floor":          reflect.TypeFor[db.Floor](),
	"Area":           reflect.TypeFor[db.Area](),
	"Label":          reflect.TypeFor[db.Label](),
	"ConfigEntry":    reflect.TypeFor[db.ConfigEntry](),
	"Device":         reflect.TypeFor[db.Device](),
	"Entity":         reflect.TypeFor[db.Entity](),
	"Analytics":      reflect.TypeFor[analytics](),
	"BulkResult":     reflect.TypeFor[bulkResult](),
	"RegistryResult": reflect.TypeFor[registryResult](),
	"Intake":         reflect.TypeFor[intake](),
	"EventEntity":    reflect.TypeFor[eventEntity](),
	"EventStats":     reflect.TypeFor[eventStats](),
	"EventTags":      reflect.TypeFor[stateevent.Tags](),
	"Cleared":        reflect.TypeFor[cleared](),
	"Health":         reflect.TypeFor[health](),
	"Liveness":       reflect.TypeFor[liveness](),
	"Info":           reflect.TypeFor[info](),
	"Problem":        reflect.TypeFor[problem](),
	"ChangeList":     reflect.TypeFor[changes](),
	"Found":          reflect.TypeFor[found](),
	"Webhook":        reflect.TypeFor[db.Webhook](),
	"Delivery":       reflect.TypeFor[deliveries.Delivery](),
	"Ticket":         reflect.TypeFor[ticket](),
	"APIKey":         reflect.TypeFor[db.APIKey](),
	"Backup":         reflect.TypeFor[backup.Backup](),
	"BackupList":     reflect.TypeFor[backupList](),
	"Home":           reflect.TypeFor[db.Home](),
}

// ContractPages are a page in the middle of a list, its items counted, and a last page.
func ContractPages(noun string) (middle, last any) {
	total := int64(7)
	p := page[struct{}]{listing: listing{noun: noun, limit: 5}, items: []struct{}{}}
	last = p
	p.next, p.count = "cursor", &total
	return p, last
}
