// Command load drives all endpoints of the shop, evenly, over HTTP/1.1, HTTP/2 without TLS and gRPC, at a given rate and
// for a limited time, and prints what came of it as one line of JSON. It only talks to this machine.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	maxDuration    = 10 * time.Minute
	maxCount       = 2_000_000
	maxRate        = 50_000
	maxConnections = 1_000
)

type settings struct {
	http, grpc, client  string
	rate, sample        float64
	duration            time.Duration
	count, concurrently int
}

func main() {
	var set settings
	flag.StringVar(&set.http, "http", "", "address of the HTTP server; none: no HTTP requests")
	flag.StringVar(&set.grpc, "grpc", "", "address of the gRPC server; none: no gRPC calls")
	flag.Float64Var(&set.rate, "rate", 200, "requests per second")
	flag.DurationVar(&set.duration, "duration", 5*time.Second, "how long to go on")
	flag.IntVar(&set.count, "count", 0, "how many requests to make in that time, instead of rate * duration")
	flag.IntVar(&set.concurrently, "concurrently", 32, "requests that may be under way at the same time")
	flag.StringVar(&set.client, "client", "header",
		"header: a traceparent of our own; sdk: instrumented clients (spans go to OTEL_EXPORTER_OTLP_ENDPOINT); none: no trace")
	flag.Float64Var(&set.sample, "sample", 1, "share of the traces that are sampled")
	flag.Parse()
	if err := set.check(); err != nil || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "load:", errors.Join(errors.New("wrong usage"), err))
		os.Exit(2)
	}
	if err := run(set); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func (set *settings) check() error {
	for _, address := range []string{set.http, set.grpc} {
		if address == "" {
			continue
		}
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return err
		}
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			return fmt.Errorf("%s is not an address of the loopback interface", address)
		}
	}
	switch {
	case set.http == "" && set.grpc == "":
		return errors.New("-http or -grpc is needed")
	case !(set.rate > 0 && set.rate <= maxRate):
		return fmt.Errorf("-rate is more than 0, and at most %d", maxRate)
	case set.duration <= 0 || set.duration > maxDuration:
		return fmt.Errorf("-duration is more than 0, and at most %s", maxDuration)
	case set.count < 0 || set.count > maxCount || set.count == 0 && set.rate*set.duration.Seconds() > maxCount:
		return fmt.Errorf("at most %d requests", maxCount)
	case set.concurrently < 1 || set.concurrently > maxConnections:
		return fmt.Errorf("-concurrently is from 1 to %d", maxConnections)
	case !(set.sample >= 0 && set.sample <= 1):
		return errors.New("-sample is from 0 to 1")
	}
	if set.count == 0 {
		set.count = max(1, int(set.rate*set.duration.Seconds()))
	} else {
		set.rate = float64(set.count) / set.duration.Seconds()
	}
	return nil
}

func run(set settings) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	propagation, err := newPropagation(ctx, set.client, set.sample)
	if err != nil {
		return err
	}
	targets, closeTargets, err := newTargets(set, propagation)
	if err != nil {
		return err
	}
	defer closeTargets()
	report := drive(ctx, set, targets)
	ending, cancelEnding := context.WithTimeout(context.Background(), patience)
	defer cancelEnding()
	return errors.Join(json.NewEncoder(os.Stdout).Encode(report), propagation.shutdown(ending))
}
