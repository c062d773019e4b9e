//go:build ignore

// Command generate writes the demo home: an invented house as the files Home
// Assistant keeps in its .storage folder, and a snapshot of some states.
//
// The house has three floors and twelve areas with names in many languages,
// about sixty devices (Zigbee, Hue, a relay with child devices, Sonos, ESPHome,
// MQTT, phones, services) and about five hundred entities. The tables below
// describe it; the tweaks after them make the special cases that README.md
// lists. Nothing in it belongs to anybody: MAC, EUI-64 and IP addresses come
// from the ranges reserved for documentation.
//
// The output depends on nothing but this file. Run it from the root:
//
//	go run testdata/demo-home/generate.go
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const folder = "testdata/demo-home"

// baseTime is when the home was set up; every time in the files follows it.
var baseTime = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

// ---- Floors, labels and areas ----------------------------------------------

type floor struct {
	Aliases    []string `json:"aliases"`
	FloorID    string   `json:"floor_id"`
	Icon       string   `json:"icon"`
	Level      int      `json:"level"`
	Name       string   `json:"name"`
	CreatedAt  string   `json:"created_at"`
	ModifiedAt string   `json:"modified_at"`
}

var floors = []floor{
	{FloorID: "cellar", Level: -1, Name: "Keller", Icon: "mdi:home-floor-negative-1", Aliases: []string{"Cellar", "Untergeschoss"}},
	{FloorID: "ground", Level: 0, Name: "Rez-de-chaussée", Icon: "mdi:home-floor-0", Aliases: []string{"Erdgeschoss"}},
	{FloorID: "upstairs", Level: 1, Name: "Upstairs", Icon: "mdi:home-floor-1", Aliases: []string{"Piętro", "楼上"}},
}

type label struct {
	Color       string `json:"color"`
	Description string `json:"description"`
	Icon        string `json:"icon"`
	LabelID     string `json:"label_id"`
	Name        string `json:"name"`
	CreatedAt   string `json:"created_at"`
	ModifiedAt  string `json:"modified_at"`
}

var labels = []label{
	{LabelID: "aussen", Name: "Außen", Color: "green", Icon: "mdi:tree", Description: "Everything that hangs outdoors"},
	{LabelID: "batterie", Name: "Batterie", Color: "yellow", Icon: "mdi:battery", Description: "Läuft mit Batterien, jährlich prüfen"},
	{LabelID: "energie", Name: "Énergie", Color: "#3f51b5", Icon: "mdi:lightning-bolt", Description: "Compte dans le bilan d'énergie"},
	{LabelID: "guests", Name: "Goście", Color: "purple", Icon: "mdi:account-group", Description: "May be used by guests"},
	{LabelID: "safety", Name: "安全", Color: "red", Icon: "mdi:shield-home", Description: "Never switch off by itself"},
}

type area struct {
	Aliases     []string `json:"aliases"`
	FloorID     *string  `json:"floor_id"`
	Humidity    *string  `json:"humidity_entity_id"`
	Icon        *string  `json:"icon"`
	ID          string   `json:"id"`
	Labels      []string `json:"labels"`
	Name        string   `json:"name"`
	Picture     *string  `json:"picture"`
	Temperature *string  `json:"temperature_entity_id"`
	CreatedAt   string   `json:"created_at"`
	ModifiedAt  string   `json:"modified_at"`
}

// areas are the rooms; those with a climate sensor name its entities.
var areas = []area{
	{ID: "kitchen", Name: "Küche", FloorID: opt("ground"), Icon: opt("mdi:pot-steam"), Aliases: []string{"Kitchen", "Cuisine"},
		Labels: []string{"guests"}, Temperature: opt("sensor.kuche_klima_temperature"), Humidity: opt("sensor.kuche_klima_humidity")},
	{ID: "living_room", Name: "Salón", FloorID: opt("ground"), Icon: opt("mdi:sofa"), Aliases: []string{"Wohnzimmer"},
		Labels: []string{"guests"}, Temperature: opt("sensor.salon_clima_temperature"), Humidity: opt("sensor.salon_clima_humidity")},
	{ID: "fenetre_sud", Name: "Fenêtre sud & véranda", FloorID: opt("ground"), Icon: opt("mdi:window-open-variant")},
	{ID: "diadromos", Name: "Διάδρομος", FloorID: opt("ground"), Icon: opt("mdi:door"), Aliases: []string{"Hallway", "Flur"}},
	{ID: "garazh", Name: "Гараж", FloorID: opt("cellar"), Icon: opt("mdi:garage"), Aliases: []string{"Garage"}},
	{ID: "waschkuche", Name: "Waschküche", FloorID: opt("cellar"), Labels: []string{"energie"}},
	{ID: "bedroom", Name: "Bedroom", FloorID: opt("upstairs"), Icon: opt("mdi:bed"),
		Temperature: opt("sensor.bedroom_climate_temperature")},
	{ID: "kinderzimmer", Name: "Kinderzimmer", FloorID: opt("upstairs"), Icon: opt("mdi:teddy-bear")},
	{ID: "lazienka", Name: "Łazienka", FloorID: opt("upstairs"), Icon: opt("mdi:shower"), Aliases: []string{"Bathroom"},
		Temperature: opt("sensor.lazienka_klimat_temperature"), Humidity: opt("sensor.lazienka_klimat_humidity")},
	{ID: "ke_ting", Name: "客厅", FloorID: opt("upstairs"), Icon: opt("mdi:television")},
	{ID: "tyohuone", Name: "Työhuone", FloorID: opt("upstairs"), Icon: opt("mdi:desk"), Aliases: []string{"Study"}},
	{ID: "strassenseite", Name: "Straßenseite", Labels: []string{"aussen"}},
}

// ---- Config entries ----------------------------------------------------------

// entries are the config entries. Their data and options stay empty, as they
// would hold secrets. The vacuum's entry is disabled.
var entries = []struct{ key, domain, title, source string }{
	{"sun", "sun", "Sun", "import"},
	{"backup", "backup", "Backup", "system"},
	{"met", "met", "Prévisions", "onboarding"},
	{"hacs", "hacs", "", "user"},
	{"zha", "zha", "Zigbee", "usb"},
	{"hue", "hue", "Hue Bridge", "zeroconf"},
	{"mqtt", "mqtt", "broker.local", "user"},
	{"relay", "shelly", "Relais 4 Kanäle", "zeroconf"},
	{"plug", "shelly", "Heizungspumpe", "zeroconf"},
	{"fritz", "fritz", "router.local", "ssdp"},
	{"sonos", "sonos", "Sonos", "zeroconf"},
	{"airbox", "esphome", "Ilmanlaatu", "zeroconf"},
	{"garage", "esphome", "Гаражные ворота", "zeroconf"},
	{"phone", "mobile_app", "Demo phone", "registration"},
	{"tablet", "mobile_app", "Wandtablet", "registration"},
	{"vacuum", "roomba", "Staubsauger", "dhcp"},
}

type configEntry struct {
	CreatedAt     string   `json:"created_at"`
	Data          struct{} `json:"data"`
	DisabledBy    *string  `json:"disabled_by"`
	DiscoveryKeys struct{} `json:"discovery_keys"`
	Domain        string   `json:"domain"`
	EntryID       string   `json:"entry_id"`
	MinorVersion  int      `json:"minor_version"`
	ModifiedAt    string   `json:"modified_at"`
	Options       struct{} `json:"options"`
	NoNewEntities bool     `json:"pref_disable_new_entities"`
	NoPolling     bool     `json:"pref_disable_polling"`
	Source        string   `json:"source"`
	Subentries    []string `json:"subentries"`
	Title         string   `json:"title"`
	UniqueID      *string  `json:"unique_id"`
	Version       int      `json:"version"`
}

// ---- Kinds of devices --------------------------------------------------------

// part is one entity of a kind of device. A part without a name is the device
// itself, for instance the light of a lamp.
type part struct {
	domain, name, class, unit, category string
	choices                             []string
	disabled                            bool
}

func control(domain, name string) part { return part{domain: domain, name: name} }
func contact(name, class string) part  { return part{domain: "binary_sensor", name: name, class: class} }
func sensor(name, class, unit string) part {
	return part{domain: "sensor", name: name, class: class, unit: unit}
}
func choice(name string, choices ...string) part {
	return control("select", name).among(choices...)
}

func (p part) config() part         { p.category = "config"; return p }
func (p part) diagnostic() part     { p.category = "diagnostic"; return p }
func (p part) off() part            { p.disabled = true; return p }
func (p part) of(class string) part { p.class = class; return p }

func (p part) among(choices ...string) part { p.choices = choices; return p }

// with is the parts p and then those that all such devices have.
func with(all []part, p ...part) []part { return append(p, all...) }

var (
	battery = sensor("Battery", "battery", "%").diagnostic()
	restart = control("button", "Restart").of("restart").config()
	update  = control("update", "Firmware").of("firmware").config()
	signal  = sensor("Signal strength", "signal_strength", "dBm").diagnostic().off()

	// zigbee is what every Zigbee device has.
	zigbee = []part{
		control("button", "Identify").of("identify").config(),
		update,
		sensor("RSSI", "signal_strength", "dBm").diagnostic().off(),
		sensor("LQI", "", "").diagnostic().off(),
	}
	metering = []part{
		sensor("Power", "power", "W"), sensor("Energy", "energy", "kWh"),
		sensor("Voltage", "voltage", "V").diagnostic(), sensor("Current", "current", "A").diagnostic(),
		sensor("Frequency", "frequency", "Hz").diagnostic().off(),
	}
)

// kind is a model of device and the entities each device of it brings.
type kind struct {
	maker, model, modelID, version string
	parts                          []part
}

var kinds = map[string]kind{
	"sun": {parts: []part{
		control("sun", ""), sensor("Next dawn", "timestamp", "").diagnostic(), sensor("Next dusk", "timestamp", "").diagnostic(),
		sensor("Next noon", "timestamp", "").diagnostic(), sensor("Next rising", "timestamp", "").diagnostic(),
		sensor("Next setting", "timestamp", "").diagnostic(), sensor("Solar elevation", "", "°").diagnostic().off(),
		contact("Solar rising", "").diagnostic().off()}},
	"backup": {"Home Assistant", "Home Assistant Backup", "", "2026.9.0", []part{
		control("event", "Automatic backup"), sensor("Backup Manager state", "enum", "").among("idle", "create_backup", "receive_backup", "restore_backup"),
		sensor("Next scheduled automatic backup", "timestamp", ""), sensor("Last successful automatic backup", "timestamp", "")}},
	"met": {"Met.no", "Forecast", "", "", []part{control("weather", "")}},
	"hacs": {"hacs.xyz", "", "", "2.0.5", []part{
		control("switch", "Pre-release").config().off(), control("update", "").of("firmware").config()}},
	"coordinator": {"Example Radio", "Zigbee stick", "ER-1", "7.4.5", []part{update, restart, contact("Joining", "").diagnostic()}},
	"motion": {"IKEA of Sweden", "Motion sensor", "E2134", "1.0.57", with(zigbee, battery,
		contact("Occupancy", "occupancy"), sensor("Illuminance", "illuminance", "lx"), sensor("Device temperature", "temperature", "°C").diagnostic(),
		control("number", "Detection delay").of("duration").config(), choice("Sensitivity", "low", "medium", "high").config())},
	"opening": {"Aqara", "Door and window sensor", "MCCGQ11LM", "", with(zigbee, battery,
		contact("Opening", "opening"), sensor("Device temperature", "temperature", "°C").diagnostic())},
	"climate_sensor": {"Sonoff", "Temperature and humidity sensor", "SNZB-02D", "2.1.0", with(zigbee, battery,
		sensor("Temperature", "temperature", "°C"), sensor("Humidity", "humidity", "%"))},
	"valve": {"Danfoss", "Radiator thermostat", "014G2461", "1.20", with(zigbee, battery,
		control("climate", ""), sensor("Pi heating demand", "", "%").diagnostic(), contact("Window open", "window"),
		control("switch", "Child lock").config(), control("number", "Local temperature offset").of("temperature").config(),
		choice("Viewing direction", "normal", "upside down").config())},
	"leak": {"Aqara", "Water leak sensor", "SJCGQ11LM", "", with(zigbee, battery, contact("Moisture", "moisture"))},
	"smoke": {"Frient", "Smoke alarm", "SMSZB-120", "4.0.2", with(zigbee, battery, contact("Smoke", "smoke"),
		sensor("Temperature", "temperature", "°C"), control("siren", ""))},
	"remote": {"IKEA of Sweden", "Remote control", "E1524", "", with(zigbee, battery, control("event", "Button"))},
	"smart_plug": {"Innr", "Smart plug", "SP 240", "1.9.1", with(zigbee, with(metering, control("switch", ""),
		choice("Start-up behavior", "on", "off", "previous").config())...)},
	"hue_bridge": {"Signify Netherlands B.V.", "Hue Bridge", "BSB002", "1.74.0", []part{update, control("event", "Scene recall").diagnostic()}},
	"hue_lamp": {"Signify Netherlands B.V.", "Hue white ambiance lamp", "LTA001", "1.122.8", []part{
		control("light", ""), sensor("Zigbee connectivity", "enum", "").among("connected", "disconnected").diagnostic().off(), update,
		choice("Power-on behavior", "safety", "last state", "custom").config()}},
	"hue_room": {"Signify Netherlands B.V.", "Room", "", "", []part{
		control("light", ""), control("scene", "Bright"), control("scene", "Relax"), control("scene", "Nightlight")}},
	"relay": {"Shelly", "Shelly Pro 4PM", "SPSW-104PE16EU", "1.7.1", []part{
		update, restart, signal, sensor("Device temperature", "temperature", "°C").diagnostic(),
		sensor("Uptime", "timestamp", "").diagnostic().off(), contact("Cloud", "connectivity").diagnostic(),
		contact("Restart required", "problem").diagnostic(), sensor("Total energy", "energy", "kWh")}},
	"channel": {parts: with(metering, control("switch", ""), contact("Overheating", "problem").diagnostic())},
	"wifi_plug": {"Shelly", "Shelly Plug S", "SNPL-00112EU", "1.7.1", with(metering, control("switch", ""),
		update, restart, signal, contact("Overpowering", "problem").diagnostic(), control("light", "LED ring").config())},
	"tracked": {"", "", "", "", []part{control("switch", "Internet access").config(), control("device_tracker", "")}},
	"router": {"FRITZ!", "Router", "", "8.20", []part{
		sensor("External IP", "", "").diagnostic(), sensor("Download throughput", "data_rate", "kB/s"),
		sensor("Upload throughput", "data_rate", "kB/s"), sensor("Connection uptime", "timestamp", "").diagnostic(),
		sensor("GB received", "data_size", "GB").diagnostic().off(), contact("Connection", "connectivity").diagnostic(),
		control("switch", "Guest WiFi").config(), control("button", "Reconnect").config(), restart, update}},
	"speaker": {"Sonos", "One", "S18", "86.6", []part{
		control("media_player", ""), control("switch", "Crossfade").config(), control("switch", "Loudness").config(),
		control("number", "Bass").config(), control("number", "Treble").config(), contact("Microphone", "").diagnostic(),
		sensor("Alarm clock", "timestamp", "").off(), sensor("Audio input format", "", "").diagnostic(),
		control("switch", "Status light").config(), control("number", "Balance").config()}},
	"air_box": {"Example Labs", "air-box", "", "2026.8.1", []part{
		sensor("CO₂", "carbon_dioxide", "ppm"), sensor("PM2.5", "pm25", "µg/m³"), sensor("Lämpötila", "temperature", "°C"),
		sensor("Kosteus", "humidity", "%"), sensor("Ilmanpaine", "pressure", "hPa"), control("light", "Merkkivalo").config(),
		contact("Status", "connectivity").diagnostic(), signal, restart, update}},
	"garage_door": {"Example Labs", "garage-door", "", "2026.8.1", []part{
		control("cover", "").of("garage"), contact("Obstruction", "problem"), control("light", "Lamp"),
		control("switch", "Holiday lock").config(), control("number", "Auto close").of("duration").config(),
		contact("Status", "connectivity").diagnostic(), signal, restart, update}},
	"phone": {"Example", "Phone 9", "", "16", []part{
		control("device_tracker", ""), sensor("Battery level", "battery", "%"), sensor("Battery state", "enum", "").among("charging", "discharging", "full"),
		sensor("Steps", "", "steps"), sensor("Activity", "enum", "").among("still", "walking", "in_vehicle"), sensor("Wi-Fi connection", "", "").diagnostic(),
		sensor("Last reboot", "timestamp", "").diagnostic().off(), sensor("Storage", "", "%").diagnostic().off(),
		contact("Is charging", "battery_charging"), contact("Interactive", "").diagnostic().off(),
		sensor("Volume level music", "", "").off(), sensor("Light sensor", "illuminance", "lx").off(),
		sensor("App version", "", "").diagnostic(), sensor("Next alarm", "timestamp", ""), sensor("Battery power", "power", "W").off(),
		contact("Doze mode", "").diagnostic().off()}},
	"vacuum": {"iRobot", "Roomba", "i715840", "lewis+22.52", []part{
		control("vacuum", ""), battery, contact("Bin full", "problem"), sensor("Missions", "", "missions").diagnostic(),
		sensor("Total cleaning time", "duration", "h").diagnostic()}},
	"meter": {"Example Metering", "Smart meter reader", "", "3.2", []part{
		sensor("Total energy in", "energy", "kWh"), sensor("Total energy out", "energy", "kWh"), sensor("Power", "power", "W"),
		sensor("Power L1", "power", "W").off(), sensor("Power L2", "power", "W").off(), sensor("Power L3", "power", "W").off(),
		sensor("Netzfrequenz", "frequency", "Hz").diagnostic()}},
	"cistern": {"Example Labs", "Level probe", "", "1.1", []part{
		sensor("Füllstand", "distance", "cm"), sensor("Volumen", "volume_storage", "L"), battery, contact("Überlauf", "problem")}},
	"shutter": {"Example Shutters", "Volet roulant", "", "", []part{
		control("cover", "").of("shutter"), control("button", "Ma position"), sensor("Durée de course", "duration", "s").diagnostic().off()}},
	"weather_station": {"Example Labs", "WS-7", "", "2.0", []part{
		sensor("Temperature", "temperature", "°C"), sensor("Humidity", "humidity", "%"), sensor("Wind speed", "wind_speed", "km/h"),
		sensor("Wind direction", "wind_direction", "°"), sensor("Rain today", "precipitation", "mm"),
		sensor("UV index", "", "UV index"), battery, contact("Rain", "moisture")}},
	"heat_pump": {"Example Heating", "Aria 8", "A8-R290", "5.11", []part{
		control("climate", ""), control("water_heater", "Domestic hot water"), sensor("Vorlauf", "temperature", "°C"),
		sensor("Rücklauf", "temperature", "°C"), sensor("Outside temperature", "temperature", "°C"), sensor("COP", "", ""),
		sensor("Energy", "energy", "kWh"), sensor("Compressor speed", "", "rpm").diagnostic(), contact("Defrost", ""),
		contact("Fault", "problem").diagnostic(), control("switch", "Silent mode"), control("number", "Curve").config(),
		choice("Mode", "heat", "cool", "auto").config(), control("button", "Reset fault").config()}},
	"nameless": {parts: []part{sensor("Raw value", "", ""), contact("Alive", "connectivity").diagnostic()}},
	"plant": {"Example Labs", "Plant stick", "", "0.9", []part{
		sensor("Feuchte", "moisture", "%"), sensor("Conductivity", "conductivity", "µS/cm"), battery}},
}

// ---- Devices -----------------------------------------------------------------

// devices lists key, kind, config entry, name and area. The key begins the
// object ids of the device's entities.
var devices = []struct{ key, kind, entry, name, area string }{
	{"sun", "sun", "sun", "Sun", ""},
	{"backup", "backup", "backup", "Backup", ""},
	{"previsions", "met", "met", "Prévisions", ""},
	{"hacs", "hacs", "hacs", "HACS", ""},
	{"uhrenkarte", "hacs", "hacs", "Kleine Uhrenkarte", ""},
	{"zigbee_stick", "coordinator", "zha", "Zigbee stick", "tyohuone"},
	{"kuche_bewegung", "motion", "zha", "Bewegungsmelder Küche", "kitchen"},
	{"diadromos_kinisi", "motion", "zha", "Κίνηση διαδρόμου", "diadromos"},
	{"garazh_dvizhenie", "motion", "zha", "Движение в гараже", "garazh"},
	{"lazienka_ruch", "motion", "zha", "Czujnik ruchu – łazienka", "lazienka"},
	{"fenetre_sud_cuisine", "opening", "zha", "Fenêtre sud – cuisine", "kitchen"},
	{"fenetre_sud_veranda", "opening", "zha", "Fenêtre sud – véranda", "fenetre_sud"},
	{"ventana_salon", "opening", "zha", "Ventana del salón", "living_room"},
	{"bedroom_window", "opening", "zha", "Bedroom window", "bedroom"},
	{"haustur", "opening", "zha", "Haustür (Straße)", "strassenseite"},
	{"kuche_klima", "climate_sensor", "zha", "Raumklima Küche", "kitchen"},
	{"salon_clima", "climate_sensor", "zha", "Clima del salón", "living_room"},
	{"lazienka_klimat", "climate_sensor", "zha", "Klimat w łazience", "lazienka"},
	{"bedroom_climate", "climate_sensor", "zha", "Bedroom climate", "bedroom"},
	{"kinderzimmer_klima", "climate_sensor", "zha", "Raumklima Kinderzimmer", "kinderzimmer"},
	{"salon_radiador", "valve", "zha", "Radiador del salón", "living_room"},
	{"bedroom_radiator", "valve", "zha", "Bedroom radiator", "bedroom"},
	{"kinderzimmer_heizung", "valve", "zha", "Heizkörper Kinderzimmer", "kinderzimmer"},
	{"lazienka_wyciek", "leak", "zha", "Czujnik wycieku", "lazienka"},
	{"waschkuche_leck", "leak", "zha", "Leckmelder Waschküche", "waschkuche"},
	{"diadromos_kapnos", "smoke", "zha", "Ανιχνευτής καπνού", "diadromos"},
	{"ke_ting_yangan", "smoke", "zha", "客厅烟雾报警器", "ke_ting"},
	{"spare_remote", "remote", "zha", "Spare remote", ""},
	{"kaffeemaschine", "smart_plug", "zha", "Kaffeemaschine", "kitchen"},
	{"dianshi_chazuo", "smart_plug", "zha", "电视插座", "ke_ting"},
	{"weihnachtsbaum", "smart_plug", "zha", "Weihnachtsbaum", "living_room"},
	{"hue_bridge", "hue_bridge", "hue", "Hue Bridge", "tyohuone"},
	{"kuche_decke", "hue_lamp", "hue", "Deckenlampe Küche", "kitchen"},
	{"kuche_theke", "hue_lamp", "hue", "Theke", "kitchen"},
	{"salon_lampara", "hue_lamp", "hue", "Lámpara de pie", "living_room"},
	{"ke_ting_deng", "hue_lamp", "hue", "客厅灯", "ke_ting"},
	{"bedside_lamp", "hue_lamp", "hue", "Bedside lamp", "bedroom"},
	{"strassenlaterne", "hue_lamp", "hue", "Straßenlaterne", "strassenseite"},
	{"kuche", "hue_room", "hue", "Küche", "kitchen"},
	{"salon", "hue_room", "hue", "Salón", "living_room"},
	{"relais", "relay", "relay", "Relais 4 Kanäle", "waschkuche"},
	{"heizungspumpe", "wifi_plug", "plug", "Heizungspumpe", "waschkuche"},
	{"heizungspumpe_netz", "tracked", "fritz", "Heizungspumpe", "waschkuche"},
	{"router", "router", "fritz", "Router", "tyohuone"},
	{"sonos_one", "speaker", "sonos", "Sonos One", "kitchen"},
	{"altavoz", "speaker", "sonos", "Altavoz", "living_room"},
	{"ilmanlaatu", "air_box", "airbox", "Ilmanlaatu työhuone", "tyohuone"},
	{"garazhnye_vorota", "garage_door", "garage", "Гаражные ворота", "garazh"},
	{"demo_phone", "phone", "phone", "Demo phone", ""},
	{"wandtablet", "phone", "tablet", "Wandtablet", "diadromos"},
	{"staubsauger", "vacuum", "vacuum", "Staubsauger", "living_room"},
	{"stromzahler", "meter", "mqtt", "Stromzähler", "waschkuche"},
	{"zisterne", "cistern", "mqtt", "Zisterne", "strassenseite"},
	{"volet_veranda", "shutter", "mqtt", "Volet véranda", "fenetre_sud"},
	{"wetterstation", "weather_station", "mqtt", "Wetterstation", "strassenseite"},
	{"warmepumpe", "heat_pump", "mqtt", "Wärmepumpe", "waschkuche"},
	{"mqtt_5e0053", "nameless", "mqtt", "", ""},
	{"pflanze", "plant", "mqtt", "🌱 Zimmerpflanze", "ke_ting"},
}

// channels are the child devices of the relay: key, name and own area.
var channels = []struct{ key, name, area string }{
	{"umwalzpumpe", "Umwälzpumpe", ""},
	{"waschmaschine", "Waschmaschine", ""},
	{"svet_v_garazhe", "Свет в гараже", "garazh"},
	{"kanal_4", "Kanal 4", ""},
}

// hubs are the devices through which the others of their config entry speak.
var hubs = map[string]string{"zha": "zigbee_stick", "hue": "hue_bridge"}

type device struct {
	AreaID           *string     `json:"area_id"`
	ConfigEntryID    string      `json:"config_entry_id"`
	ConfigSubentryID *string     `json:"config_subentry_id"`
	ConfigurationURL *string     `json:"configuration_url"`
	Connections      [][2]string `json:"connections"`
	CreatedAt        string      `json:"created_at"`
	DisabledBy       *string     `json:"disabled_by"`
	EntryType        *string     `json:"entry_type"`
	HWVersion        *string     `json:"hw_version"`
	ID               string      `json:"id"`
	Identifiers      [][2]string `json:"identifiers"`
	Labels           []string    `json:"labels"`
	CompositeID      *string     `json:"composite_device_id"`
	CompositePrimary *string     `json:"composite_primary_config_entry"`
	SplitAt          *string     `json:"split_at"`
	Manufacturer     *string     `json:"manufacturer"`
	Model            *string     `json:"model"`
	ModelID          *string     `json:"model_id"`
	ModifiedAt       string      `json:"modified_at"`
	NameByUser       *string     `json:"name_by_user"`
	Name             *string     `json:"name"`
	CompositeIDs     bool        `json:"has_composite_identifiers"`
	PrimaryEntry     string      `json:"primary_config_entry"`
	SerialNumber     *string     `json:"serial_number"`
	SWVersion        *string     `json:"sw_version"`
	ViaDeviceID      *string     `json:"via_device_id"`
}

// childDevice is a part of a device; without an area it is in its parent's.
// Home Assistant 2026.9 keeps child devices in a list of their own.
type childDevice struct {
	AreaID           *string     `json:"area_id"`
	ConfigEntryID    string      `json:"config_entry_id"`
	ConfigSubentryID *string     `json:"config_subentry_id"`
	CreatedAt        string      `json:"created_at"`
	DisabledBy       *string     `json:"disabled_by"`
	ID               string      `json:"id"`
	Identifiers      [][2]string `json:"identifiers"`
	Labels           []string    `json:"labels"`
	ModifiedAt       string      `json:"modified_at"`
	NameByUser       *string     `json:"name_by_user"`
	Name             *string     `json:"name"`
	ParentDeviceID   string      `json:"parent_device_id"`
}

type deletedDevice struct {
	AreaID            *string     `json:"area_id"`
	ConfigEntryID     *string     `json:"config_entry_id"`
	ConfigSubentryID  *string     `json:"config_subentry_id"`
	Connections       [][2]string `json:"connections"`
	CreatedAt         string      `json:"created_at"`
	DisabledBy        *string     `json:"disabled_by"`
	DisabledUndefined bool        `json:"disabled_by_undefined"`
	Identifiers       [][2]string `json:"identifiers"`
	ID                string      `json:"id"`
	Labels            []string    `json:"labels"`
	ModifiedAt        string      `json:"modified_at"`
	NameByUser        *string     `json:"name_by_user"`
	OrphanedTimestamp *float64    `json:"orphaned_timestamp"`
	Domain            string      `json:"domain"`
}

// deviceTweaks make the special devices.
var deviceTweaks = map[string]func(*device){
	"weihnachtsbaum": func(d *device) { d.DisabledBy = opt("user") },
	"staubsauger":    func(d *device) { d.DisabledBy = opt("config_entry") },
	"sonos_one":      func(d *device) { d.NameByUser = opt("Küchenradio") },
	"mqtt_5e0053":    func(d *device) { d.Name = nil },
	"zisterne":       func(d *device) { d.ViaDeviceID = opt(id("device", "removed gateway")); d.Labels = []string{"aussen"} },
	"stromzahler":    func(d *device) { d.Labels = []string{"energie"}; d.HWVersion = opt("rev B") },
	"haustur":        func(d *device) { d.Labels = []string{"aussen", "batterie", "safety"} },
	"spare_remote":   func(d *device) { d.Labels = []string{"batterie"} },

	// The pump's plug was one device of two config entries until 2026.8 split it.
	"heizungspumpe":      split,
	"heizungspumpe_netz": func(d *device) { split(d); d.CompositeIDs = true },
}

func split(d *device) {
	d.CompositeID = opt(id("device", "heizungspumpe before the split"))
	d.CompositePrimary = opt(entryID("plug"))
	d.SplitAt = opt(stamp(baseTime.AddDate(0, 0, 4), "split"))
	d.Identifiers = [][2]string{{"shelly", "00005E0053F0"}}
	d.Connections = [][2]string{{"mac", mac(0xf0)}}
}

// ---- Entities ----------------------------------------------------------------

type options map[string]map[string]any

type entity struct {
	Aliases             []string          `json:"aliases"`
	AliasesV2           []*string         `json:"aliases_v2"`
	AreaID              *string           `json:"area_id"`
	Categories          map[string]string `json:"categories"`
	Capabilities        map[string]any    `json:"capabilities"`
	ConfigEntryID       *string           `json:"config_entry_id"`
	ConfigSubentryID    *string           `json:"config_subentry_id"`
	CreatedAt           string            `json:"created_at"`
	DeviceClass         *string           `json:"device_class"`
	DeviceID            *string           `json:"device_id"`
	DisabledBy          *string           `json:"disabled_by"`
	EntityCategory      *string           `json:"entity_category"`
	EntityID            string            `json:"entity_id"`
	HiddenBy            *string           `json:"hidden_by"`
	Icon                *string           `json:"icon"`
	ID                  string            `json:"id"`
	HasEntityName       bool              `json:"has_entity_name"`
	Labels              []string          `json:"labels"`
	ModifiedAt          string            `json:"modified_at"`
	Name                *string           `json:"name"`
	ObjectIDBase        *string           `json:"object_id_base"`
	Options             options           `json:"options"`
	OriginalDeviceClass *string           `json:"original_device_class"`
	OriginalIcon        *string           `json:"original_icon"`
	OriginalName        *string           `json:"original_name"`
	Platform            string            `json:"platform"`
	SuggestedObjectID   *string           `json:"suggested_object_id"`
	SupportedFeatures   int               `json:"supported_features"`
	TranslationKey      *string           `json:"translation_key"`
	UniqueID            string            `json:"unique_id"`
	PreviousUniqueID    *string           `json:"previous_unique_id"`
	Unit                *string           `json:"unit_of_measurement"`
}

type deletedEntity struct {
	Aliases           []string          `json:"aliases"`
	AliasesV2         []*string         `json:"aliases_v2"`
	AreaID            *string           `json:"area_id"`
	Categories        map[string]string `json:"categories"`
	ConfigEntryID     *string           `json:"config_entry_id"`
	ConfigSubentryID  *string           `json:"config_subentry_id"`
	CreatedAt         string            `json:"created_at"`
	DeviceClass       *string           `json:"device_class"`
	DisabledBy        *string           `json:"disabled_by"`
	DisabledUndefined bool              `json:"disabled_by_undefined"`
	EntityID          string            `json:"entity_id"`
	HiddenBy          *string           `json:"hidden_by"`
	HiddenUndefined   bool              `json:"hidden_by_undefined"`
	Icon              *string           `json:"icon"`
	ID                string            `json:"id"`
	Labels            []string          `json:"labels"`
	ModifiedAt        string            `json:"modified_at"`
	Name              *string           `json:"name"`
	Options           options           `json:"options"`
	OptionsUndefined  bool              `json:"options_undefined"`
	OrphanedTimestamp *float64          `json:"orphaned_timestamp"`
	Platform          string            `json:"platform"`
	UniqueID          string            `json:"unique_id"`
}

// helpers are the entities without a device: domain, platform, object id, name
// and area. The last three become orphans.
var helpers = []struct{ domain, platform, object, name, area string }{
	{"person", "person", "demo_one", "Demo One", ""},
	{"person", "person", "demo_two", "Demo Two", ""},
	{"zone", "zone", "arbeit", "Arbeit", ""},
	{"zone", "zone", "ecole", "École", ""},
	{"input_boolean", "input_boolean", "urlaub", "Urlaub", ""},
	{"input_boolean", "input_boolean", "guest_mode", "Guest mode", ""},
	{"input_boolean", "input_boolean", "fiesta", "¡Fiesta!", "living_room"},
	{"input_number", "input_number", "wunschtemperatur", "Wunschtemperatur", "kitchen"},
	{"input_number", "input_number", "rain_limit", "Rain limit", ""},
	{"input_select", "input_select", "hausmodus", "Hausmodus", ""},
	{"input_datetime", "input_datetime", "wecker", "Wecker", "bedroom"},
	{"timer", "timer", "eieruhr", "Eieruhr", "kitchen"},
	{"light", "group", "alle_lampen", "Alle Lampen", ""},
	{"sensor", "template", "offene_fenster", "Offene Fenster", ""},
	{"sensor", "template", "hausverbrauch", "Hausverbrauch", ""},
	{"binary_sensor", "template", "jemand_zuhause", "Jemand zuhause", ""},
	{"scene", "homeassistant", "filmabend", "Filmabend", "ke_ting"},
	{"scene", "homeassistant", "buenas_noches", "Buenas noches", ""},
	{"scene", "homeassistant", "petit_dejeuner", "Petit déjeuner", "kitchen"},
	{"scene", "homeassistant", "dobranoc", "Dobranoc", "bedroom"},
	{"script", "script", "alles_aus", "Alles aus", ""},
	{"script", "script", "doorbell", "Doorbell", "diadromos"},
	{"script", "script", "fermer_les_volets", "Fermer les volets", "fenetre_sud"},
	{"script", "script", "otkryt_garazh", "Открыть гараж", "garazh"},
	{"script", "script", "regar_las_plantas", "Regar las plantas", ""},
	{"automation", "automation", "licht_kuche_bei_bewegung", "Licht Küche bei Bewegung", "kitchen"},
	{"automation", "automation", "licht_kuche_aus", "Licht Küche aus", "kitchen"},
	{"automation", "automation", "hallway_light_at_night", "Hallway light at night", "diadromos"},
	{"automation", "automation", "leak_alarm", "Leak alarm", ""},
	{"automation", "automation", "smoke_alarm", "Smoke alarm", ""},
	{"automation", "automation", "fenster_offen_heizung_aus", "Fenster offen, Heizung aus", ""},
	{"automation", "automation", "volets_au_coucher_du_soleil", "Volets au coucher du soleil", "fenetre_sud"},
	{"automation", "automation", "volets_au_lever_du_soleil", "Volets au lever du soleil", "fenetre_sud"},
	{"automation", "automation", "garage_still_open", "Garage still open", "garazh"},
	{"automation", "automation", "waschmaschine_fertig", "Waschmaschine fertig", "waschkuche"},
	{"automation", "automation", "low_batteries", "Low batteries", ""},
	{"automation", "automation", "wake_up_light", "Wake-up light", "bedroom"},
	{"automation", "automation", "wentylator_w_lazience", "Wentylator w łazience", "lazienka"},
	{"automation", "automation", "air_quality_warning", "Air quality warning", "tyohuone"},
	{"automation", "automation", "nobody_home", "Nobody home", ""},
	{"automation", "automation", "radio_am_morgen", "Radio am Morgen", "kitchen"},
	{"automation", "automation", "rain_warning", "Rain warning", "fenetre_sud"},
	{"automation", "automation", "nachtmodus", "Nachtmodus", ""},
	{"automation", "automation", "chauffage_en_cas_d_absence", "Chauffage en cas d'absence", ""},
	{"todo", "local_todo", "einkaufsliste", "Einkaufsliste", "kitchen"},
	{"calendar", "local_calendar", "abfallkalender", "Abfallkalender", ""},
	{"automation", "automation", "guan_dianshi", "关电视", "ke_ting"},
	{"sensor", "mqtt", "alte_wetterstation_temperature", "Alte Wetterstation Temperature", ""},
	{"switch", "zha", "verlorene_steckdose", "Verlorene Steckdose", ""},
	{"media_player", "dlna_dmr", "alter_fernseher", "Alter Fernseher", ""},
}

// entityTweaks make the special entities; they run in this order.
var entityTweaks = []struct {
	id     string
	change func(*entity)
}{
	// Named by the user, with aliases, icons, labels and settings of their own.
	{"light.kuche_decke", func(e *entity) { e.Name = opt("Küchenlicht"); alias(e, "Deckenlicht", "Kitchen light") }},
	{"light.ke_ting_deng", func(e *entity) { e.Name = opt("主灯"); e.Icon = opt("mdi:ceiling-light") }},
	{"switch.kaffeemaschine", func(e *entity) {
		e.Name = opt("Kaffee ☕")
		e.Labels = []string{"energie", "guests"}
		alias(e, "Espresso")
	}},
	{"binary_sensor.haustur_opening", func(e *entity) { e.Name = opt("Haustür"); e.DeviceClass = opt("door"); e.Labels = []string{"safety"} }},
	{"media_player.sonos_one", func(e *entity) { e.AliasesV2 = []*string{opt("Radio")}; e.Aliases = []string{"Radio"} }},
	{"sensor.stromzahler_power", func(e *entity) { e.Labels = []string{"energie"}; e.Options["sensor"]["display_precision"] = 0 }},
	{"sensor.router_download_throughput", func(e *entity) { e.Options["sensor"]["unit_of_measurement"] = "MB/s"; e.Unit = opt("MB/s") }},
	{"automation.leak_alarm", func(e *entity) { categorise(e, "safety"); e.Labels = []string{"safety"} }},
	{"automation.smoke_alarm", func(e *entity) { categorise(e, "safety"); e.Labels = []string{"safety"} }},
	{"automation.licht_kuche_bei_bewegung", func(e *entity) { categorise(e, "light") }},
	{"script.alles_aus", func(e *entity) {
		e.Icon = opt("mdi:power")
		e.Options["conversation"] = map[string]any{"should_expose": true}
	}},

	// In another area than their device.
	{"sensor.warmepumpe_outside_temperature", func(e *entity) { e.AreaID = opt("strassenseite") }},
	{"light.garazhnye_vorota_lamp", func(e *entity) { e.AreaID = opt("strassenseite") }},
	{"switch.kanal_4", func(e *entity) { e.AreaID = opt("lazienka") }},
	{"binary_sensor.wetterstation_rain", func(e *entity) { e.AreaID = opt("fenetre_sud") }},

	// Disabled or hidden.
	{"sensor.lazienka_klimat_battery", func(e *entity) { e.DisabledBy = opt("user") }},
	{"switch.altavoz_loudness", func(e *entity) { e.DisabledBy = opt("user") }},
	{"light.kuche", func(e *entity) { e.HiddenBy = opt("user") }},
	{"sensor.wandtablet_steps", func(e *entity) { e.HiddenBy = opt("user") }},
	{"light.kuche_theke", func(e *entity) { e.HiddenBy = opt("integration") }},
	{"light.salon_lampara", func(e *entity) { e.HiddenBy = opt("integration") }},

	// Orphans: their device or config entry is in no file.
	{"sensor.alte_wetterstation_temperature", func(e *entity) {
		e.DeviceID, e.ConfigEntryID = opt(id("device", "alte_wetterstation")), opt(entryID("mqtt"))
		e.Unit, e.OriginalDeviceClass = opt("°C"), opt("temperature")
	}},
	{"switch.verlorene_steckdose", func(e *entity) {
		e.DeviceID, e.ConfigEntryID = opt(id("device", "verlorene_steckdose")), opt(entryID("zha"))
	}},
	{"media_player.alter_fernseher", func(e *entity) { e.ConfigEntryID = opt(entryID("removed entry")) }},

	// Renamed after they had been made.
	{"sensor.stromzahler_total_energy_in", func(e *entity) { rename(e, "sensor.strombezug"); e.PreviousUniqueID = opt("meter-1-8-0") }},
	{"climate.warmepumpe", func(e *entity) { rename(e, "climate.heating") }},
	{"sensor.kuche_bewegung_illuminance", func(e *entity) { rename(e, "sensor.helligkeit_kuche") }},
}

// alias adds spoken names to the computed one, which the file writes as null.
func alias(e *entity, names ...string) {
	e.Aliases = names
	e.AliasesV2 = []*string{nil}
	for _, name := range names {
		e.AliasesV2 = append(e.AliasesV2, opt(name))
	}
}

// categorise puts an automation into a category of core.category_registry,
// a file this home does not have.
func categorise(e *entity, name string) {
	e.Categories = map[string]string{"automation": ulid("category " + name)}
}

func rename(e *entity, newID string) {
	_, object, _ := strings.Cut(e.EntityID, ".")
	e.SuggestedObjectID = opt(object)
	e.EntityID = newID
}

// ---- What a domain or a device class implies -----------------------------------

// exposed domains are offered to voice assistants.
var exposed = map[string]bool{"light": true, "switch": true, "climate": true, "cover": true, "media_player": true, "vacuum": true}

var features = map[string]int{
	"light": 44, "climate": 401, "cover": 15, "media_player": 4127295, "update": 23,
	"vacuum": 14204, "weather": 3, "water_heater": 11, "siren": 31,
}

var capabilities = map[string]map[string]any{
	"light":   {"supported_color_modes": []string{"color_temp"}, "min_color_temp_kelvin": 2202, "max_color_temp_kelvin": 6535},
	"climate": {"hvac_modes": []string{"off", "heat", "auto"}, "min_temp": 5, "max_temp": 30, "target_temp_step": 0.5},
	"number":  {"min": 0, "max": 100, "step": 1, "mode": "auto"},
	"event":   {"event_types": []string{"press", "hold", "release"}},
}

// precision is the suggested number of decimals of a sensor's device class.
var precision = map[string]int{
	"temperature": 1, "humidity": 0, "power": 1, "energy": 2, "voltage": 0, "current": 2,
	"pressure": 1, "data_rate": 2, "precipitation": 1, "wind_speed": 1,
}

// services are the kinds of devices that cannot be touched.
var services = map[string]bool{"sun": true, "backup": true, "met": true, "hacs": true, "hue_room": true}

var urls = map[string]string{
	"backup": "homeassistant://config/backup", "hacs": "homeassistant://hacs",
	"router": "http://192.0.2.1", "hue_bridge": "http://192.0.2.2", "relay": "http://192.0.2.10", "wifi_plug": "http://192.0.2.11",
	"air_box": "http://air-box.local", "garage_door": "http://garage-door.local", "cistern": "https://example.com/zisterne",
}

// ---- States --------------------------------------------------------------------

// stateTable holds one state a line: entity id, state and, where it has some,
// attributes beyond those the registry implies.
const stateTable = `sun.sun above_horizon {"elevation":31.42,"azimuth":141.07,"rising":true}
weather.previsions partlycloudy {"temperature":17.2,"humidity":68,"temperature_unit":"°C"}
zone.arbeit 0 {"radius":100,"passive":false}
person.demo_one home {"user_id":null}
person.demo_two not_home {"user_id":null}
device_tracker.demo_phone home {"source_type":"gps"}
device_tracker.wandtablet home {"source_type":"gps"}
device_tracker.heizungspumpe_netz home {"source_type":"router","mac":"00:00:5e:00:53:f0"}
light.kuche_decke on {"brightness":180,"color_mode":"color_temp","color_temp_kelvin":2702}
light.kuche_theke off
light.kuche on {"brightness":180,"is_hue_group":true}
light.salon_lampara off
light.ke_ting_deng on {"brightness":255,"color_mode":"color_temp","color_temp_kelvin":4000}
light.bedside_lamp off
light.strassenlaterne unavailable
light.alle_lampen on {"entity_id":["light.kuche_decke","light.ke_ting_deng"]}
light.garazhnye_vorota_lamp off
switch.kaffeemaschine on
switch.dianshi_chazuo off
switch.umwalzpumpe on
switch.waschmaschine on
switch.svet_v_garazhe off
switch.kanal_4 off
switch.heizungspumpe on
switch.heizungspumpe_netz_internet_access on
sensor.kaffeemaschine_power 1243.5
sensor.waschmaschine_power 412.3
sensor.waschmaschine_energy 218.47
sensor.umwalzpumpe_power 34.1
sensor.strombezug 14721.38
sensor.stromzahler_power -1312
sensor.helligkeit_kuche 214
sensor.kuche_klima_temperature 21.6
sensor.kuche_klima_humidity 48.2
sensor.kuche_klima_battery 87
sensor.salon_clima_temperature 22.1
sensor.salon_clima_humidity 45
sensor.lazienka_klimat_temperature 23.4
sensor.lazienka_klimat_humidity 71.5
sensor.bedroom_climate_temperature 19.8
sensor.bedroom_climate_humidity unknown
sensor.wetterstation_temperature 16.9
sensor.wetterstation_wind_speed 12.4
sensor.zisterne_fullstand 132
sensor.warmepumpe_outside_temperature 16.4
sensor.ilmanlaatu_co2 731
sensor.demo_phone_battery_level 55
sensor.sun_next_rising 2026-09-02T04:41:17+00:00
sensor.mqtt_5e0053_raw_value 42
sensor.alte_wetterstation_temperature unavailable {"restored":true}
binary_sensor.kuche_bewegung_occupancy on
binary_sensor.haustur_opening off
binary_sensor.fenetre_sud_veranda_opening on
binary_sensor.waschkuche_leck_moisture off
binary_sensor.diadromos_kapnos_smoke off
climate.heating heat {"current_temperature":21.4,"temperature":21,"hvac_action":"heating"}
climate.salon_radiador auto {"current_temperature":22.1,"temperature":21.5,"hvac_action":"idle"}
cover.garazhnye_vorota closed {"current_position":0}
cover.volet_veranda open {"current_position":70}
media_player.sonos_one playing {"volume_level":0.25,"media_title":"Morgenmagazin","source":"Radio"}
media_player.altavoz idle {"volume_level":0.1}
update.hue_bridge_firmware off {"installed_version":"1.74.0","latest_version":"1.74.0"}
number.salon_radiador_local_temperature_offset 0
select.kuche_bewegung_sensitivity medium
input_boolean.urlaub off {"editable":true}
automation.leak_alarm on {"mode":"single","current":0,"last_triggered":null}
scene.filmabend 2026-08-30T18:12:44.120000+00:00
script.alles_aus off {"mode":"single","current":0,"last_triggered":null}`

type state struct {
	EntityID    string         `json:"entity_id"`
	State       string         `json:"state"`
	Attributes  map[string]any `json:"attributes"`
	LastChanged string         `json:"last_changed"`
	LastUpdated string         `json:"last_updated"`
}

// ---- Building the home -----------------------------------------------------------

type home struct {
	devices  []*device
	children []*childDevice
	entities []*entity
	names    map[string]string // of the devices, by id
	clock    time.Time
}

// tick is the time at which the next thing was made.
func (h *home) tick(key string) string {
	h.clock = h.clock.Add(13 * time.Second)
	return stamp(h.clock, key)
}

// owner is the device, or child device, that brings entities.
type owner struct {
	key, id, name, entryID, platform, unique string
	disabled, named                          bool
}

func main() {
	log.SetFlags(0)
	h := build()
	write("core.floor_registry", 1, 2, map[string]any{"floors": stampFloors()})
	write("core.label_registry", 1, 2, map[string]any{"labels": stampLabels()})
	write("core.area_registry", 1, 8, map[string]any{"areas": stampAreas()})
	write("core.config_entries", 1, 5, map[string]any{"entries": configEntries()})
	write("core.device_registry", 3, 4, struct {
		Devices  []*device       `json:"devices"`
		Children []*childDevice  `json:"child_devices"`
		Deleted  []deletedDevice `json:"deleted_devices"`
	}{h.devices, h.children, deletedDevices()})
	write("core.entity_registry", 1, 23, struct {
		Entities []*entity       `json:"entities"`
		Deleted  []deletedEntity `json:"deleted_entities"`
	}{h.entities, deletedEntities()})
	writeJSON("states.json", h.states())
}

func build() *home {
	h := &home{names: map[string]string{}, clock: baseTime.Add(time.Hour)}
	for n, row := range devices {
		d := h.newDevice(n, row.key, row.kind, row.entry, row.name, row.area)
		if tweak, ok := deviceTweaks[row.key]; ok {
			tweak(d)
			d.ModifiedAt = stamp(baseTime.AddDate(0, 0, 5), row.key)
			delete(deviceTweaks, row.key)
		}
		h.devices = append(h.devices, d)
		h.names[d.ID] = value(d.Name)
		if d.NameByUser != nil {
			h.names[d.ID] = *d.NameByUser
		}
		h.addParts(kinds[row.kind].parts, owner{row.key, d.ID, row.name, d.ConfigEntryID, domainOf(row.entry), uniqueOf(d),
			d.DisabledBy != nil, row.name != "" && row.kind != "phone"}, value(d.DisabledBy))
		if row.kind == "relay" {
			h.addChannels(d)
		}
	}
	if len(deviceTweaks) > 0 {
		log.Fatalf("tweaks without a device: %v", deviceTweaks)
	}
	for _, row := range helpers {
		h.addHelper(row.domain, row.platform, row.object, row.name, row.area)
	}
	for _, tweak := range entityTweaks {
		e := h.entity(tweak.id)
		tweak.change(e)
		e.ModifiedAt = stamp(baseTime.AddDate(0, 0, 2), tweak.id)
	}
	return h
}

func (h *home) newDevice(n int, key, kindName, entry, name, area string) *device {
	k := kinds[kindName]
	created := h.tick(key)
	d := &device{
		AreaID: opt(area), ConfigEntryID: entryID(entry), ConfigurationURL: opt(urls[kindName]), CreatedAt: created,
		ID: id("device", key), Labels: []string{}, Manufacturer: opt(k.maker), Model: opt(k.model), ModelID: opt(k.modelID),
		ModifiedAt: created, Name: opt(name), PrimaryEntry: entryID(entry), SWVersion: opt(k.version),
	}
	if services[kindName] {
		d.EntryType = opt("service")
	}
	if hub := hubs[entry]; hub != "" && hub != key {
		d.ViaDeviceID = opt(id("device", hub))
	}
	d.Identifiers, d.Connections = addresses(domainOf(entry), key, n+1)
	return d
}

// addresses invents what a device of an integration is known by; n is the last
// octet of its hardware address.
func addresses(domain, key string, n int) (identifiers, connections [][2]string) {
	address := mac(n)
	bare := strings.ToUpper(strings.ReplaceAll(address, ":", ""))
	ethernet := [][2]string{{"mac", address}}
	switch domain {
	case "zha":
		eui := fmt.Sprintf("00:00:5e:ef:10:00:00:%02x", n)
		return [][2]string{{"zha", eui}}, [][2]string{{"zigbee", eui}}
	case "shelly":
		return [][2]string{{"shelly", bare}}, ethernet
	case "sonos":
		return [][2]string{{"sonos", "RINCON_" + bare + "01400"}}, ethernet
	case "esphome":
		return [][2]string{}, ethernet
	case "fritz", "roomba":
		return [][2]string{{domain, bare}}, ethernet
	case "hue", "mobile_app":
		return [][2]string{{domain, id(domain, key)}}, [][2]string{}
	}
	return [][2]string{{domain, key}}, [][2]string{}
}

func (h *home) addChannels(parent *device) {
	for n, row := range channels {
		unique := fmt.Sprintf("%s-switch:%d", parent.Identifiers[0][1], n)
		created := h.tick(row.key)
		c := &childDevice{
			AreaID: opt(row.area), ConfigEntryID: parent.ConfigEntryID, CreatedAt: created, ID: id("device", row.key),
			Identifiers: [][2]string{{"shelly", unique}}, Labels: []string{}, ModifiedAt: created,
			Name: opt(row.name), ParentDeviceID: parent.ID,
		}
		h.children = append(h.children, c)
		h.names[c.ID] = row.name
		h.addParts(kinds["channel"].parts, owner{row.key, c.ID, row.name, c.ConfigEntryID, "shelly", unique, false, true}, "")
	}
}

// addParts adds the entities of a device; those of a disabled one are disabled
// by it, or by its config entry.
func (h *home) addParts(parts []part, o owner, disabledBy string) {
	if disabledBy == "user" {
		disabledBy = "device"
	}
	for _, p := range parts {
		e := h.newEntity(p.domain, o.platform, slug(o.key+" "+p.name))
		e.ConfigEntryID, e.DeviceID = opt(o.entryID), opt(o.id)
		e.UniqueID = o.unique + "-" + slug(p.domain+" "+p.name)
		e.EntityCategory, e.OriginalDeviceClass, e.Unit = opt(p.category), opt(p.class), opt(p.unit)
		e.HasEntityName, e.OriginalName, e.ObjectIDBase = o.named, opt(p.name), opt(p.name)
		if !o.named {
			e.OriginalName = opt(strings.TrimSpace(o.name + " " + p.name))
		}
		if o.named && p.class == "" && p.name != "" {
			e.TranslationKey = opt(slug(p.name))
		}
		if o.platform == "mqtt" {
			e.SuggestedObjectID = opt(slug(o.key + " " + p.name))
		}
		e.DisabledBy = opt(disabledBy)
		if p.disabled {
			e.DisabledBy = opt("integration")
		}
		p.describe(e)
	}
}

// describe sets what follows from the part's domain and class.
func (p part) describe(e *entity) {
	if exposed[p.domain] && p.category == "" {
		e.Options["conversation"] = map[string]any{"should_expose": true}
	}
	if len(p.choices) > 0 {
		e.Capabilities = map[string]any{"options": p.choices}
	}
	if p.domain != "sensor" {
		return
	}
	if digits, ok := precision[p.class]; ok {
		e.Options["sensor"] = map[string]any{"suggested_display_precision": digits}
	}
	switch {
	case p.class == "energy":
		e.Capabilities = map[string]any{"state_class": "total_increasing"}
	case p.unit != "":
		e.Capabilities = map[string]any{"state_class": "measurement"}
	}
}

// addHelper adds an entity without a device.
func (h *home) addHelper(domain, platform, object, name, area string) {
	e := h.newEntity(domain, platform, object)
	e.UniqueID = object
	if domain == "automation" || platform == "homeassistant" {
		e.UniqueID = fmt.Sprint(baseTime.UnixMilli() + int64(len(h.entities)))
	}
	e.OriginalName, e.ObjectIDBase, e.AreaID = opt(name), opt(name), opt(area)
	if domain == "script" || domain == "automation" {
		e.Options["conversation"] = map[string]any{"should_expose": false}
	}
}

func (h *home) newEntity(domain, platform, object string) *entity {
	entityID := domain + "." + object
	created := h.tick(entityID)
	e := &entity{
		Aliases: []string{}, AliasesV2: []*string{nil}, Categories: map[string]string{}, Capabilities: capabilities[domain],
		CreatedAt: created, EntityID: entityID, ID: id("entity", entityID), Labels: []string{}, ModifiedAt: created,
		Options: options{}, Platform: platform, SupportedFeatures: features[domain],
	}
	h.entities = append(h.entities, e)
	return e
}

func (h *home) entity(entityID string) *entity {
	for _, e := range h.entities {
		if e.EntityID == entityID {
			return e
		}
	}
	log.Fatalf("there is no %s", entityID)
	return nil
}

func deletedDevices() []deletedDevice {
	gone := stamp(baseTime.AddDate(0, 0, 3), "deleted devices")
	orphaned := float64(baseTime.AddDate(0, 0, 3).Unix()) + 0.25
	return []deletedDevice{
		{AreaID: opt("kinderzimmer"), ConfigEntryID: opt(entryID("zha")), Connections: [][2]string{{"zigbee", "00:00:5e:ef:10:00:00:fe"}},
			CreatedAt: stamp(baseTime, "nachtlicht"), ID: id("device", "nachtlicht"), ModifiedAt: gone, NameByUser: opt("Nachtlicht"),
			Identifiers: [][2]string{{"zha", "00:00:5e:ef:10:00:00:fe"}}, Labels: []string{}, Domain: "zha"},
		{Connections: [][2]string{{"mac", mac(0xfd)}}, CreatedAt: stamp(baseTime, "old_tv"), ID: id("device", "old_tv"),
			ModifiedAt: gone, Identifiers: [][2]string{{"dlna_dmr", "old_tv"}}, Labels: []string{}, OrphanedTimestamp: &orphaned, Domain: "dlna_dmr"},
	}
}

func deletedEntities() []deletedEntity {
	gone := stamp(baseTime.AddDate(0, 0, 3), "deleted entities")
	orphaned := float64(baseTime.AddDate(0, 0, 3).Unix()) + 0.25
	return []deletedEntity{
		{Aliases: []string{}, AliasesV2: []*string{nil}, AreaID: opt("kinderzimmer"), Categories: map[string]string{},
			ConfigEntryID: opt(entryID("zha")), CreatedAt: stamp(baseTime, "light.nachtlicht"), EntityID: "light.nachtlicht",
			ID: id("entity", "light.nachtlicht"), Labels: []string{}, ModifiedAt: gone, Name: opt("Nachtlicht"),
			Options: options{}, Platform: "zha", UniqueID: "00:00:5e:ef:10:00:00:fe-light"},
		{Aliases: []string{}, AliasesV2: []*string{nil}, Categories: map[string]string{}, CreatedAt: stamp(baseTime, "remote.old_tv"),
			EntityID: "remote.old_tv", ID: id("entity", "remote.old_tv"), Labels: []string{}, ModifiedAt: gone,
			Options: options{}, OrphanedTimestamp: &orphaned, Platform: "dlna_dmr", UniqueID: "old_tv-remote"},
	}
}

func configEntries() []configEntry {
	var all []configEntry
	for n, row := range entries {
		created := stamp(baseTime.Add(time.Duration(n)*time.Minute), row.key)
		e := configEntry{CreatedAt: created, Domain: row.domain, EntryID: entryID(row.key), MinorVersion: 1, ModifiedAt: created,
			Source: row.source, Subentries: []string{}, Title: row.title, Version: 1}
		if row.source != "user" && row.source != "import" && row.source != "system" {
			e.UniqueID = opt(row.domain + "-" + row.key)
		}
		if row.key == "vacuum" {
			e.DisabledBy = opt("user")
		}
		all = append(all, e)
	}
	return all
}

func stampFloors() []floor {
	for n := range floors {
		f := &floors[n]
		f.CreatedAt = stamp(baseTime.Add(time.Duration(n)*time.Minute), "floor "+f.FloorID)
		f.ModifiedAt = f.CreatedAt
	}
	return floors
}

func stampLabels() []label {
	for n := range labels {
		l := &labels[n]
		l.CreatedAt = stamp(baseTime.Add(time.Duration(n)*time.Minute), "label "+l.LabelID)
		l.ModifiedAt = l.CreatedAt
	}
	return labels
}

func stampAreas() []area {
	for n := range areas {
		a := &areas[n]
		a.CreatedAt = stamp(baseTime.Add(time.Duration(n)*time.Minute), "area "+a.ID)
		a.ModifiedAt = a.CreatedAt
		a.Aliases = append([]string{}, a.Aliases...)
		a.Labels = append([]string{}, a.Labels...)
	}
	return areas
}

// states are the last states, with the attributes that Home Assistant copies
// from the registry.
func (h *home) states() []state {
	var all []state
	for n, line := range strings.Split(stateTable, "\n") {
		fields := append(strings.SplitN(line, " ", 3), "{}")
		e := h.entity(fields[0])
		if e.DisabledBy != nil {
			log.Fatalf("%s is disabled and cannot have a state", e.EntityID)
		}
		attributes := map[string]any{"friendly_name": h.nameOf(e)}
		set(attributes, "unit_of_measurement", e.Unit)
		set(attributes, "device_class", e.OriginalDeviceClass)
		set(attributes, "device_class", e.DeviceClass)
		set(attributes, "icon", e.Icon)
		if class, ok := e.Capabilities["state_class"]; ok {
			attributes["state_class"] = class
		}
		if err := json.Unmarshal([]byte(fields[2]), &attributes); err != nil {
			log.Fatalf("attributes of %s: %v", e.EntityID, err)
		}
		changed := stamp(baseTime.AddDate(0, 0, 7).Add(time.Duration(n)*time.Second), "state "+e.EntityID)
		all = append(all, state{e.EntityID, fields[1], attributes, changed, changed})
	}
	return all
}

func set(attributes map[string]any, key string, v *string) {
	if v != nil {
		attributes[key] = *v
	}
}

// nameOf is the name Home Assistant shows.
func (h *home) nameOf(e *entity) string {
	switch {
	case e.Name != nil:
		return *e.Name
	case e.HasEntityName:
		return strings.TrimSpace(h.names[value(e.DeviceID)] + " " + value(e.OriginalName))
	}
	return value(e.OriginalName)
}

// ---- Small things ------------------------------------------------------------------

// opt is nil, JSON's null, for an empty text.
func opt(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// id makes 32 hexadecimal digits out of a readable name.
func id(sort, name string) string {
	sum := sha256.Sum256([]byte("demo home " + sort + " " + name))
	return hex.EncodeToString(sum[:16])
}

func entryID(key string) string { return ulid("config entry " + key) }

// ulid makes an id like those of config entries: the base time and a hash.
func ulid(name string) string {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	sum := sha256.Sum256([]byte("demo home " + name))
	var text []byte
	for n := 9; n >= 0; n-- {
		text = append(text, alphabet[baseTime.UnixMilli()>>(5*n)&31])
	}
	for _, b := range sum[:16] {
		text = append(text, alphabet[b&31])
	}
	return string(text)
}

func mac(n int) string { return fmt.Sprintf("00:00:5e:00:53:%02x", n) }

func uniqueOf(d *device) string {
	if len(d.Identifiers) > 0 {
		return d.Identifiers[0][1]
	}
	return d.Connections[0][1]
}

func domainOf(entry string) string {
	for _, row := range entries {
		if row.key == entry {
			return row.domain
		}
	}
	log.Fatalf("there is no config entry %s", entry)
	return ""
}

// stamp writes a time as Home Assistant does, with microseconds that the key
// decides.
func stamp(t time.Time, key string) string {
	sum := sha256.Sum256([]byte("demo home time " + key))
	micros := binary.BigEndian.Uint32(sum[:]) % 1_000_000
	return t.Add(time.Duration(micros) * time.Microsecond).Format("2006-01-02T15:04:05.000000+00:00")
}

var ascii = strings.NewReplacer("ä", "a", "ö", "o", "ü", "u", "ß", "ss", "é", "e", "₂", "2")

// slug is the text in the letters of an entity id.
func slug(text string) string {
	words := strings.FieldsFunc(ascii.Replace(strings.ToLower(text)), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return strings.Join(words, "_")
}

// write writes a file of the .storage folder.
func write(key string, version, minor int, data any) {
	writeJSON(key, struct {
		Version int    `json:"version"`
		Minor   int    `json:"minor_version"`
		Key     string `json:"key"`
		Data    any    `json:"data"`
	}{version, minor, key, data})
}

func writeJSON(name string, content any) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(content); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name), buffer.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
