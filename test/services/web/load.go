package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// report is what a load came to. Latencies are in microseconds.
type report struct {
	Requests int     `json:"requests"`
	Seconds  float64 `json:"seconds"`
	P50      float64 `json:"p50"`
	P99      float64 `json:"p99"`
	P999     float64 `json:"p999"`
}

func load(args []string) {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	address := flags.String("address", "", "of the service")
	connections := flags.Int("connections", 8, "used at the same time")
	duration := flags.Duration("duration", time.Second, "how long")
	rate := flags.Float64("rate", 0, "requests per second, evenly; 0: as many as possible")
	flags.Parse(args)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: *connections}}
	begin := time.Now()
	var turns atomic.Int64
	latencies := make([][]time.Duration, *connections)
	var workers sync.WaitGroup
	for i := range *connections {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for {
				turn := turns.Add(1) - 1
				// Latency counts from the time that a request was due, so that waiting for a slow service shows.
				due := time.Now()
				if *rate > 0 {
					due = begin.Add(time.Duration(float64(turn) / *rate * float64(time.Second)))
					time.Sleep(time.Until(due))
				}
				if time.Since(begin) >= *duration {
					return
				}
				get(client, fmt.Sprintf("http://%s/list?from=%d", *address, turn*31%20000))
				latencies[i] = append(latencies[i], time.Since(due))
			}
		}()
	}
	workers.Wait()
	json.NewEncoder(os.Stdout).Encode(summary(slices.Concat(latencies...), time.Since(begin)))
}

func get(client *http.Client, url string) {
	answer, err := client.Get(url)
	if err == nil {
		_, err = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "web:", err)
		os.Exit(1)
	}
}

func summary(latencies []time.Duration, took time.Duration) report {
	slices.Sort(latencies)
	at := func(share float64) float64 {
		if len(latencies) == 0 {
			return 0
		}
		return float64(latencies[int(share*float64(len(latencies)-1))].Nanoseconds()) / 1000
	}
	return report{len(latencies), took.Seconds(), at(0.5), at(0.99), at(0.999)}
}
