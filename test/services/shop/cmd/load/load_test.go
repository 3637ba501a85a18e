package main

import (
	"testing"
	"time"
)

func TestQuantiles(t *testing.T) {
	var latencies []time.Duration
	for i := 1000; i > 0; i-- {
		latencies = append(latencies, time.Duration(i)*time.Millisecond)
	}
	if got := newLatency(latencies); got != (latency{500, 990, 999, 1000}) {
		t.Error(got)
	}
	if got := newLatency([]time.Duration{time.Millisecond}); got != (latency{1, 1, 1, 1}) {
		t.Error(got)
	}
	if got := newLatency(nil); got != (latency{}) {
		t.Error(got)
	}
}

func TestUsage(t *testing.T) {
	usual := settings{http: "127.0.0.1:80", grpc: "[::1]:80", rate: 10, duration: time.Second, concurrently: 1}
	for name, change := range map[string]func(*settings){
		"another machine":   func(s *settings) { s.http = "192.0.2.1:80" },
		"a name":            func(s *settings) { s.grpc = "localhost:80" },
		"all addresses":     func(s *settings) { s.http = ":80" },
		"no address":        func(s *settings) { s.http, s.grpc = "", "" },
		"no rate":           func(s *settings) { s.rate = 0 },
		"too much":          func(s *settings) { s.rate, s.duration = maxRate, maxDuration },
		"too long":          func(s *settings) { s.duration = maxDuration + 1 },
		"too many":          func(s *settings) { s.count = maxCount + 1 },
		"nobody to do it":   func(s *settings) { s.concurrently = 0 },
		"more than a whole": func(s *settings) { s.sample = 1.1 },
	} {
		set := usual
		change(&set)
		if set.check() == nil {
			t.Errorf("%s is taken", name)
		}
	}
	set := usual
	if err := set.check(); err != nil || set.count != 10 {
		t.Errorf("%d requests, %v", set.count, err)
	}
}
