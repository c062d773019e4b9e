package server

import (
	"net/http"
	"slices"
	"strings"

	"dataapi/internal/auth"
)

// route is a row of the table. id is the operation in openapi.yaml; scope is what who asks must have one of; sql is the
// file under sql/queries that the handler's accessors come from, "" where it has none. The aliases of the service
// before this one have the handler of their canonical path.
type route struct {
	method, path string
	id           string
	scope        auth.Scopes
	sql          string
	handle       handler
}

// What routes need. That of the service before this one was open to all: networks that are trusted may still read
// there, and push registries.
const (
	anyone        = auth.Anyone
	read          = auth.Read
	readAsBefore  = auth.Read | auth.Trusted
	writeRegistry = auth.WriteRegistry
	pushAsBefore  = auth.WriteRegistry | auth.Trusted
	writeEvents   = auth.WriteEvents
	webhooks      = auth.Webhooks
	hooksAsBefore = auth.Webhooks | auth.Trusted
	ofUsers       = auth.Preferences
	usersAsBefore = auth.Preferences | auth.Trusted
	admin         = auth.Admin
)

// routes is every route there is. Literal paths stand before patterns: mux takes the first that matches,
// so that what is asked for most stands first as well. The answers of handlers that are kept follow from the
// metadata and the URL alone, see cache.go.
func (s *Server) routes() []route {
	return []route{
		{"GET", "/api/v1/devices", "listDevices", read, "devices", kept(s.searching(s.listDevices))},
		{"GET", "/api/v1/devices/{device_id}", "getDevice", read, "devices", kept(s.getDevice)},
		{"GET", "/api/v1/entities", "listEntities", read, "entities", kept(s.searching(s.listEntities))},
		{"GET", "/api/v1/entities/{entity_id}", "getEntity", read, "entities", kept(s.getEntity)},
		{"GET", "/api/v1/devices/{device_id}/changes", "listDeviceChanges", read, "changes", s.listDeviceChanges},
		{"GET", "/api/v1/entities/{entity_id}/changes", "listEntityChanges", read, "changes", s.listEntityChanges},
		{"GET", "/api/v1/changes", "listChanges", read, "changes", s.listChanges},
		{"GET", "/api/v1/search", "search", read, "search", kept(s.search)},
		{"GET", "/api/v1/home", "getHome", read, "home", kept(s.getHome)},
		{"GET", "/api/v1/floors", "listFloors", read, "floors", kept(s.searching(s.listFloors))},
		{"GET", "/api/v1/floors/{floor_id}", "getFloor", read, "floors", kept(s.getFloor)},
		{"GET", "/api/v1/areas", "listAreas", read, "areas", kept(s.searching(s.listAreas))},
		{"GET", "/api/v1/areas/{area_id}", "getArea", read, "areas", kept(s.getArea)},
		{"GET", "/api/v1/labels", "listLabels", read, "labels", kept(s.searching(s.listLabels))},
		{"GET", "/api/v1/labels/{label_id}", "getLabel", read, "labels", kept(s.getLabel)},
		{"GET", "/api/v1/config_entries", "listConfigEntries", read, "config_entries", kept(s.searching(s.listConfigEntries))},
		{"GET", "/api/v1/config_entries/{entry_id}", "getConfigEntry", read, "config_entries", kept(s.getConfigEntry)},
		{"GET", "/api/v1/integrations/{domain}/analytics", "getIntegrationAnalytics", read, "config_entries", s.getIntegrationAnalytics},

		{"PUT", "/api/v1/registry", "putRegistry", writeRegistry, "registry", s.putRegistry},
		{"PATCH", "/api/v1/registry", "patchRegistry", writeRegistry, "registry", s.patchRegistry},
		{"GET", "/api/v1/entities/{entity_id}/state", "getEntityState", read, "entities", s.getEntityState},
		{"GET", "/api/v1/entities/{entity_id}/history", "getEntityHistory", read, "entities", s.getEntityHistory},
		{"GET", "/api/v1/history", "getHistory", read, "entities", s.searching(s.getHistory)},
		{"GET", "/api/v1/events", "listEvents", readAsBefore, "entities", s.searching(s.listEvents)},
		{"POST", "/api/v1/events", "postEvents", writeEvents, "entities", s.postEvents},
		{"GET", "/api/v1/events/search", "searchEvents", readAsBefore, "entities", s.searching(s.searchEvents)},
		{"POST", "/api/v1/events/search", "postEventSearch", read, "entities", s.postEventSearch},
		{"GET", "/api/v1/events/stats", "getEventStats", readAsBefore, "", s.getEventStats},
		{"GET", "/api/v1/events/entities", "listEventEntities", readAsBefore, "", s.listEventEntities},
		{"GET", "/api/v1/events/types", "listEventTypes", readAsBefore, "", s.listEventTypes},
		{"GET", "/api/v1/events/automation-trace/{context_id}", "getAutomationTrace", readAsBefore, "entities", s.getAutomationTrace},
		{"GET", "/api/v1/events/{event_id}", "getEvent", readAsBefore, "entities", s.getEvent},

		{"GET", "/api/v1/webhooks", "listWebhooks", webhooks, "webhooks", s.listWebhooks},
		{"POST", "/api/v1/webhooks", "createWebhook", webhooks, "webhooks", s.createWebhook},
		{"GET", "/api/v1/webhooks/{webhook_id}", "getWebhook", webhooks, "webhooks", s.getWebhook},
		{"PATCH", "/api/v1/webhooks/{webhook_id}", "patchWebhook", webhooks, "webhooks", s.patchWebhook},
		{"DELETE", "/api/v1/webhooks/{webhook_id}", "deleteWebhook", webhooks, "webhooks", s.deleteWebhook},
		{"POST", "/api/v1/webhooks/{webhook_id}/test", "testWebhook", webhooks, "webhooks", s.testWebhook},
		{"POST", "/api/v1/webhooks/{webhook_id}/rotate", "rotateWebhook", webhooks, "webhooks", s.rotateWebhook},
		{"GET", "/api/v1/webhooks/{webhook_id}/deliveries", "listDeliveries", webhooks, "webhooks", s.listDeliveries},
		{"POST", "/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", "replayDelivery", webhooks, "webhooks", s.replayDelivery},

		{"GET", "/api/v1/users/{user_id}/preferences", "getPreferences", ofUsers, "preferences", s.getPreferences(userInPath)},
		{"PUT", "/api/v1/users/{user_id}/preferences", "putPreferences", ofUsers, "preferences", s.putPreferences(userInPath)},
		{"PATCH", "/api/v1/users/{user_id}/preferences", "patchPreferences", ofUsers, "preferences", s.patchPreferences(userInPath)},
		{"DELETE", "/api/v1/users/{user_id}/preferences", "deletePreferences", ofUsers, "preferences", s.deletePreferences},

		{"GET", "/api/v1/keys", "listKeys", admin, "keys", s.listKeys},
		{"POST", "/api/v1/keys", "createKey", admin, "keys", s.createKey},
		{"GET", "/api/v1/keys/{key_id}", "getKey", admin, "keys", s.getKey},
		{"DELETE", "/api/v1/keys/{key_id}", "revokeKey", admin, "keys", s.revokeKey},
		{"POST", "/api/v1/tickets", "createTicket", read, "", s.createTicket},

		{"GET", "/api/devices", "listDevicesAlias", readAsBefore, "devices", kept(s.searching(s.listDevices))},
		{"GET", "/api/devices/{device_id}", "getDeviceAlias", readAsBefore, "devices", kept(s.getDevice)},
		{"GET", "/api/entities", "listEntitiesAlias", readAsBefore, "entities", kept(s.searching(s.listEntities))},
		{"GET", "/api/entities/{entity_id}", "getEntityAlias", readAsBefore, "entities", kept(s.getEntity)},
		{"GET", "/api/integrations", "listIntegrations", readAsBefore, "config_entries", kept(s.searching(s.listIntegrations))},
		{"GET", "/api/integrations/{domain}/analytics", "getIntegrationAnalyticsAlias", readAsBefore, "config_entries", s.getIntegrationAnalytics},
		{"GET", "/api/user/preferences", "getUserPreferences", usersAsBefore, "preferences", s.getPreferences(userInQuery)},
		{"POST", "/api/user/preferences", "postUserPreferences", ofUsers, "preferences", s.patchPreferences(userInQuery)},

		{"GET", "/api/v1/ha/webhooks", "listHAWebhooks", hooksAsBefore, "webhooks", s.listHAWebhooks},
		{"POST", "/api/v1/ha/webhooks/register", "registerHAWebhook", webhooks, "webhooks", s.registerHAWebhook},
		{"DELETE", "/api/v1/ha/webhooks/{webhook_id}", "deleteHAWebhook", webhooks, "webhooks", s.deleteWebhook},
		{"POST", "/internal/devices/bulk_upsert", "bulkUpsertDevices", pushAsBefore, "devices", s.bulkUpsertDevices},
		{"POST", "/internal/entities/bulk_upsert", "bulkUpsertEntities", pushAsBefore, "entities", s.bulkUpsertEntities},
		{"DELETE", "/internal/devices/clear", "clearDevices", writeRegistry, "devices", s.clearDevices},

		{"GET", "/api/v1/admin/backups", "listBackups", admin, "", s.listBackups},
		{"POST", "/api/v1/admin/backups", "postBackup", admin, "", s.postBackup},

		{"POST", "/write", "postWrite", writeEvents, "entities", s.postWrite},
		{"POST", "/api/v2/write", "postWriteV2", writeEvents, "entities", s.postWriteV2},
		{"GET", "/ping", "ping", anyone, "", s.ping},

		{"GET", "/metrics", "getMetrics", read, "", s.getMetrics},
		{"GET", "/debug/pprof/{name}", "getProfile", admin, "", s.getProfile},
		{"GET", "/health", "getHealth", anyone, "", s.getHealth},
		{"GET", "/livez", "getLiveness", anyone, "", s.getLiveness},
		{"GET", "/readyz", "getReadiness", anyone, "", s.getReadiness},
		{"GET", "/api/info", "getInfo", readAsBefore, "", s.getInfo},
		{"GET", "/", "getRoot", readAsBefore, "", s.getInfo},
		{"GET", "/openapi.yaml", "getOpenAPIYAML", read, "", s.getOpenAPIYAML},
		{"GET", "/openapi.json", "getOpenAPIJSON", read, "", s.getOpenAPIJSON},
	}
}

// endpoint answers for one path: a method has a handler, or it is not allowed. HEAD is as GET.
func (s *Server) endpoint(p pathRoutes) http.Handler {
	handlers := map[string]http.Handler{}
	for _, rt := range p.routes {
		handlers[rt.method] = s.permitted(rt, s.answer(rt.handle))
	}
	if get, ok := handlers[http.MethodGet]; ok {
		handlers[http.MethodHead] = get
	}
	refuse := s.methodNotAllowed(p.allow())
	meters := s.traffic.meters(p.path)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorderOf(w).meter = meters.of(r.Method)
		if h, ok := handlers[r.Method]; ok {
			h.ServeHTTP(w, r)
			return
		}
		if !s.preflight(w, r, p.allow()) {
			refuse.ServeHTTP(w, r)
		}
	})
}

// Route describes a route for people.
type Route struct{ Method, Path, Scope, Handler, SQL string }

// Routes lists every route in the order of the table.
func (s *Server) Routes() []Route {
	var all []Route
	for _, rt := range s.routes() {
		file := "-"
		if rt.sql != "" {
			file = "sql/queries/" + rt.sql + ".sql"
		}
		scope := strings.Join(rt.scope.Names(), "|")
		switch {
		case rt.scope&auth.Anyone != 0:
			scope = "-"
		case rt.scope&auth.Trusted != 0:
			scope += "|trusted"
		}
		all = append(all, Route{Method: rt.method, Path: rt.path, Scope: scope, Handler: rt.id, SQL: file})
	}
	return all
}

// pathRoutes are the routes of one path.
type pathRoutes struct {
	path   string
	routes []route
}

func pathsOf(routes []route) []pathRoutes {
	var paths []pathRoutes
	for _, rt := range routes {
		i := slices.IndexFunc(paths, func(p pathRoutes) bool { return p.path == rt.path })
		if i < 0 {
			i = len(paths)
			paths = append(paths, pathRoutes{path: rt.path})
		}
		paths[i].routes = append(paths[i].routes, rt)
	}
	return paths
}

// allow is the Allow header of a path (RFC 9110, section 10.2.1).
func (p pathRoutes) allow() string {
	var methods []string
	for _, rt := range p.routes {
		methods = append(methods, rt.method)
		if rt.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	return strings.Join(methods, ", ")
}
