package server

import (
	"net/http"
	"slices"
	"strings"
)

// route is a row of the table. id is the operation in openapi.yaml; sql is the file under sql/queries
// that the handler's accessors come from, "" where it has none. The aliases of the service before this
// one have the handler of their canonical path.
type route struct {
	method, path string
	id           string
	sql          string
	handle       handler
}

// routes is every route there is. Literal paths stand before patterns: mux takes the first that matches,
// so that what is asked for most stands first as well. The answers of handlers that are kept follow from the
// metadata and the URL alone, see cache.go.
func (s *Server) routes() []route {
	return []route{
		{"GET", "/api/v1/devices", "listDevices", "devices", kept(s.searching(s.listDevices))},
		{"GET", "/api/v1/devices/{device_id}", "getDevice", "devices", kept(s.getDevice)},
		{"GET", "/api/v1/entities", "listEntities", "entities", kept(s.searching(s.listEntities))},
		{"GET", "/api/v1/entities/{entity_id}", "getEntity", "entities", kept(s.getEntity)},
		{"GET", "/api/v1/devices/{device_id}/changes", "listDeviceChanges", "changes", s.listDeviceChanges},
		{"GET", "/api/v1/entities/{entity_id}/changes", "listEntityChanges", "changes", s.listEntityChanges},
		{"GET", "/api/v1/changes", "listChanges", "changes", s.listChanges},
		{"GET", "/api/v1/search", "search", "search", kept(s.search)},
		{"GET", "/api/v1/home", "getHome", "home", kept(s.getHome)},
		{"GET", "/api/v1/floors", "listFloors", "floors", kept(s.searching(s.listFloors))},
		{"GET", "/api/v1/floors/{floor_id}", "getFloor", "floors", kept(s.getFloor)},
		{"GET", "/api/v1/areas", "listAreas", "areas", kept(s.searching(s.listAreas))},
		{"GET", "/api/v1/areas/{area_id}", "getArea", "areas", kept(s.getArea)},
		{"GET", "/api/v1/labels", "listLabels", "labels", kept(s.searching(s.listLabels))},
		{"GET", "/api/v1/labels/{label_id}", "getLabel", "labels", kept(s.getLabel)},
		{"GET", "/api/v1/config_entries", "listConfigEntries", "config_entries", kept(s.searching(s.listConfigEntries))},
		{"GET", "/api/v1/config_entries/{entry_id}", "getConfigEntry", "config_entries", kept(s.getConfigEntry)},
		{"GET", "/api/v1/integrations/{domain}/analytics", "getIntegrationAnalytics", "config_entries", s.getIntegrationAnalytics},

		{"PUT", "/api/v1/registry", "putRegistry", "registry", s.putRegistry},
		{"PATCH", "/api/v1/registry", "patchRegistry", "registry", s.patchRegistry},
		{"GET", "/api/v1/entities/{entity_id}/state", "getEntityState", "entities", s.getEntityState},
		{"GET", "/api/v1/entities/{entity_id}/history", "getEntityHistory", "entities", s.getEntityHistory},
		{"GET", "/api/v1/history", "getHistory", "entities", s.searching(s.getHistory)},
		{"GET", "/api/v1/events", "listEvents", "entities", s.searching(s.listEvents)},
		{"POST", "/api/v1/events", "postEvents", "entities", s.postEvents},
		{"GET", "/api/v1/events/search", "searchEvents", "entities", s.searching(s.searchEvents)},
		{"GET", "/api/v1/events/stats", "getEventStats", "", s.getEventStats},
		{"GET", "/api/v1/events/entities", "listEventEntities", "", s.listEventEntities},
		{"GET", "/api/v1/events/types", "listEventTypes", "", s.listEventTypes},
		{"GET", "/api/v1/events/automation-trace/{context_id}", "getAutomationTrace", "entities", s.getAutomationTrace},
		{"GET", "/api/v1/events/{event_id}", "getEvent", "entities", s.getEvent},

		{"GET", "/api/v1/webhooks", "listWebhooks", "webhooks", s.listWebhooks},
		{"POST", "/api/v1/webhooks", "createWebhook", "webhooks", s.createWebhook},
		{"GET", "/api/v1/webhooks/{webhook_id}", "getWebhook", "webhooks", s.getWebhook},
		{"PATCH", "/api/v1/webhooks/{webhook_id}", "patchWebhook", "webhooks", s.patchWebhook},
		{"DELETE", "/api/v1/webhooks/{webhook_id}", "deleteWebhook", "webhooks", s.deleteWebhook},
		{"POST", "/api/v1/webhooks/{webhook_id}/test", "testWebhook", "webhooks", s.testWebhook},
		{"POST", "/api/v1/webhooks/{webhook_id}/rotate", "rotateWebhook", "webhooks", s.rotateWebhook},
		{"GET", "/api/v1/webhooks/{webhook_id}/deliveries", "listDeliveries", "webhooks", s.listDeliveries},
		{"POST", "/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", "replayDelivery", "webhooks", s.replayDelivery},

		{"GET", "/api/v1/users/{user_id}/preferences", "getPreferences", "preferences", s.getPreferences(userInPath)},
		{"PUT", "/api/v1/users/{user_id}/preferences", "putPreferences", "preferences", s.putPreferences(userInPath)},
		{"PATCH", "/api/v1/users/{user_id}/preferences", "patchPreferences", "preferences", s.patchPreferences(userInPath)},
		{"DELETE", "/api/v1/users/{user_id}/preferences", "deletePreferences", "preferences", s.deletePreferences},

		{"GET", "/api/devices", "listDevicesAlias", "devices", kept(s.searching(s.listDevices))},
		{"GET", "/api/devices/{device_id}", "getDeviceAlias", "devices", kept(s.getDevice)},
		{"GET", "/api/entities", "listEntitiesAlias", "entities", kept(s.searching(s.listEntities))},
		{"GET", "/api/entities/{entity_id}", "getEntityAlias", "entities", kept(s.getEntity)},
		{"GET", "/api/integrations", "listIntegrations", "config_entries", kept(s.searching(s.listIntegrations))},
		{"GET", "/api/integrations/{domain}/analytics", "getIntegrationAnalyticsAlias", "config_entries", s.getIntegrationAnalytics},
		{"GET", "/api/user/preferences", "getUserPreferences", "preferences", s.getPreferences(userInQuery)},
		{"POST", "/api/user/preferences", "postUserPreferences", "preferences", s.patchPreferences(userInQuery)},

		{"GET", "/api/v1/ha/webhooks", "listHAWebhooks", "webhooks", s.listHAWebhooks},
		{"POST", "/api/v1/ha/webhooks/register", "registerHAWebhook", "webhooks", s.registerHAWebhook},
		{"DELETE", "/api/v1/ha/webhooks/{webhook_id}", "deleteHAWebhook", "webhooks", s.deleteWebhook},
		{"POST", "/internal/devices/bulk_upsert", "bulkUpsertDevices", "devices", s.bulkUpsertDevices},
		{"POST", "/internal/entities/bulk_upsert", "bulkUpsertEntities", "entities", s.bulkUpsertEntities},
		{"DELETE", "/internal/devices/clear", "clearDevices", "devices", s.clearDevices},

		{"POST", "/write", "postWrite", "entities", s.postWrite},
		{"POST", "/api/v2/write", "postWriteV2", "entities", s.postWriteV2},
		{"GET", "/ping", "ping", "", s.ping},

		{"GET", "/health", "getHealth", "", s.getHealth},
		{"GET", "/livez", "getLiveness", "", s.getLiveness},
		{"GET", "/readyz", "getReadiness", "", s.getReadiness},
		{"GET", "/api/info", "getInfo", "", s.getInfo},
		{"GET", "/", "getRoot", "", s.getInfo},
		{"GET", "/openapi.yaml", "getOpenAPIYAML", "", s.getOpenAPIYAML},
		{"GET", "/openapi.json", "getOpenAPIJSON", "", s.getOpenAPIJSON},
	}
}

// endpoint answers for one path: a method has a handler, or it is not allowed. HEAD is as GET.
func (s *Server) endpoint(p pathRoutes) http.Handler {
	handlers := map[string]http.Handler{}
	for _, rt := range p.routes {
		handlers[rt.method] = s.answer(rt.handle)
	}
	if get, ok := handlers[http.MethodGet]; ok {
		handlers[http.MethodHead] = get
	}
	refuse := s.methodNotAllowed(p.allow())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h, ok := handlers[r.Method]; ok {
			h.ServeHTTP(w, r)
			return
		}
		refuse.ServeHTTP(w, r)
	})
}

// Route describes a route for people.
type Route struct{ Method, Path, Handler, SQL string }

// Routes lists every route in the order of the table.
func (s *Server) Routes() []Route {
	var all []Route
	for _, rt := range s.routes() {
		file := "-"
		if rt.sql != "" {
			file = "sql/queries/" + rt.sql + ".sql"
		}
		all = append(all, Route{Method: rt.method, Path: rt.path, Handler: rt.id, SQL: file})
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
