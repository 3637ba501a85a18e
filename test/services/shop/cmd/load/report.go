package main

import (
	"math"
	"slices"
	"time"
)

// report is what is printed in the end.
type report struct {
	Requests int `json:"requests"`
	Errors   int `json:"errors"`
	// Missed are requests that were not made, because the service was too slow or the program was ended.
	Missed    int                 `json:"missed"`
	Seconds   float64             `json:"seconds"`
	Latency   latency             `json:"latencyMillis"`
	Endpoints map[string]endpoint `json:"endpoints"`
}

type endpoint struct {
	Requests int     `json:"requests"`
	Errors   int     `json:"errors"`
	Latency  latency `json:"latencyMillis"`
}

type latency struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

func newReport(set settings, targets []target, all [][]outcome, took time.Duration) report {
	r := report{Seconds: took.Seconds(), Endpoints: map[string]endpoint{}}
	var everything []time.Duration
	for i, target := range targets {
		var sum endpoint
		var latencies []time.Duration
		for _, outcomes := range all {
			sum.Requests += outcomes[i].requests
			sum.Errors += outcomes[i].errors
			latencies = append(latencies, outcomes[i].latencies...)
		}
		sum.Latency = newLatency(latencies)
		r.Endpoints[target.name] = sum
		r.Requests += sum.Requests
		r.Errors += sum.Errors
		everything = append(everything, latencies...)
	}
	r.Missed = set.count - r.Requests
	r.Latency = newLatency(everything)
	return r
}

// newLatency sorts the latencies in place.
func newLatency(latencies []time.Duration) latency {
	slices.Sort(latencies)
	return latency{quantile(latencies, 0.5), quantile(latencies, 0.99), quantile(latencies, 0.999), quantile(latencies, 1)}
}

// quantile is the smallest value that is not exceeded by so large a share of all, in milliseconds.
func quantile(sorted []time.Duration, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := max(1, int(math.Ceil(share*float64(len(sorted)))))
	return float64(sorted[rank-1].Microseconds()) / 1000
}
