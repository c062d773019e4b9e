package main

import (
	"hash/fnv"
	"math"
	"strconv"
	"time"
)

// entity is an entity of the demo home.
type entity struct {
	EntityID    string  `json:"entity_id"`
	Name        string  `json:"name"`
	Domain      string  `json:"domain"`
	DeviceClass *string `json:"device_class"`
	Unit        *string `json:"unit_of_measurement"`
}

// course is what becomes of an entity: the state that it has from each step on. It follows from the time alone, so
// that two runs tell the same.
type course struct {
	entity
	every time.Duration
	state func(c *course, t time.Time) string
}

// courses are what becomes of a kind of entities: of a domain, and of a device class if there is one.
var courses = map[string]course{
	"sensor temperature":      {every: 5 * time.Minute, state: (*course).temperature},
	"sensor humidity":         {every: 5 * time.Minute, state: (*course).humidity},
	"sensor carbon_dioxide":   {every: 5 * time.Minute, state: (*course).carbonDioxide},
	"sensor illuminance":      {every: 10 * time.Minute, state: (*course).illuminance},
	"sensor power":            {every: 30 * time.Second, state: (*course).power},
	"sensor energy":           {every: 10 * time.Minute, state: (*course).energy},
	"sensor voltage":          {every: 5 * time.Minute, state: (*course).voltage},
	"sensor battery":          {every: 6 * time.Hour, state: (*course).battery},
	"light":                   {every: 20 * time.Minute, state: (*course).evening},
	"switch":                  {every: 30 * time.Minute, state: (*course).evening},
	"binary_sensor occupancy": {every: 3 * time.Minute, state: (*course).seldom},
	"binary_sensor motion":    {every: 3 * time.Minute, state: (*course).seldom},
	"binary_sensor opening":   {every: 15 * time.Minute, state: (*course).seldom},
	"binary_sensor window":    {every: 15 * time.Minute, state: (*course).seldom},
	"binary_sensor door":      {every: 15 * time.Minute, state: (*course).seldom},
	"person":                  {every: time.Hour, state: (*course).home},
}

func courseOf(e entity) (course, bool) {
	kind := e.Domain
	if e.DeviceClass != nil {
		kind += " " + *e.DeviceClass
	}
	c, ok := courses[kind]
	c.entity = e
	return c, ok
}

// changes are the states that differ from the ones before, after start, until end.
func (c *course) changes(start, end time.Time) (all []state) {
	t := c.step(start)
	last := c.state(c, t)
	for t = t.Add(c.every); !t.After(end); t = t.Add(c.every) {
		if now := c.state(c, t); now != last {
			last = now
			all = append(all, c.at(t))
		}
	}
	return all
}

// step is the last step until t. The entities do not all take theirs at once.
func (c *course) step(t time.Time) time.Time {
	offset := time.Duration(c.noise(0) * float64(c.every)).Truncate(time.Millisecond)
	return t.Add(-offset).Truncate(c.every).Add(offset)
}

// at is the state at a step.
func (c *course) at(t time.Time) state {
	attributes := map[string]any{simulated: true, "friendly_name": c.Name}
	if c.DeviceClass != nil {
		attributes["device_class"] = *c.DeviceClass
	}
	if c.Unit != nil {
		attributes["unit_of_measurement"] = *c.Unit
	}
	return state{c.EntityID, c.state(c, t), t, attributes, simulated}
}

// noise is a number from 0 to 1 that follows from the entity and n.
func (c *course) noise(n int64) float64 {
	h := fnv.New64a()
	h.Write([]byte(c.EntityID + " " + strconv.FormatInt(n, 10)))
	x := h.Sum64() // whose upper bits hardly tell one n from the next
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return float64(x>>11) / (1 << 53)
}

// jitter is noise of the step.
func (c *course) jitter(t time.Time) float64 { return c.noise(t.UnixMilli()) }

// daily goes from -1 at three in the night to 1 at three in the afternoon.
func daily(t time.Time) float64 { return -math.Cos(2 * math.Pi * (hour(t) - 3) / 24) }

func hour(t time.Time) float64 {
	t = t.Local()
	return float64(t.Hour()) + float64(t.Minute())/60
}

func number(value float64, digits int) string { return strconv.FormatFloat(value, 'f', digits, 64) }

func (c *course) temperature(t time.Time) string {
	return number(19+4*c.noise(1)+1.2*daily(t)+0.3*c.jitter(t), 1)
}

func (c *course) humidity(t time.Time) string {
	return number(42+15*c.noise(1)-5*daily(t)+2*c.jitter(t), 0)
}

func (c *course) carbonDioxide(t time.Time) string {
	return number(600+150*daily(t)+80*c.jitter(t), 0)
}

func (c *course) illuminance(t time.Time) string {
	return number(max(0, 350*(daily(t)+0.2)+40*c.jitter(t)), 0)
}

func (c *course) power(t time.Time) string {
	standby := 2 + 8*c.noise(1)
	if c.noise(t.Unix()/1200) < 0.25 { // twenty minutes
		return number(standby+200+1200*c.noise(2)+20*c.jitter(t), 1)
	}
	return number(standby+c.jitter(t), 1)
}

// energy only grows.
func (c *course) energy(t time.Time) string {
	hours := t.Sub(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).Hours()
	return number((0.1+0.4*c.noise(1))*(hours+0.8*math.Sin(2*math.Pi*hours/24)), 2)
}

func (c *course) voltage(t time.Time) string { return number(229+3*c.jitter(t), 1) }

func (c *course) battery(t time.Time) string {
	days := float64(t.Unix()/86400) + 300*c.noise(1)
	return number(100-math.Mod(days, 300)/3, 0)
}

// on is on or off.
func on(is bool) string {
	if is {
		return "on"
	}
	return "off"
}

func (c *course) evening(t time.Time) string {
	likely := 0.05
	if h := hour(t); h >= 17 && h < 23 || h >= 6 && h < 8 {
		likely = 0.5
	}
	return on(c.jitter(t) < likely)
}

func (c *course) seldom(t time.Time) string {
	return on(hour(t) >= 6 && hour(t) < 23 && c.jitter(t) < 0.15)
}

func (c *course) home(t time.Time) string {
	if h := hour(t); h >= 8 && h < 17 && c.jitter(t) < 0.9 {
		return "not_home"
	}
	return "home"
}
