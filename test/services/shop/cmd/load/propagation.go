package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	otelpropagation "go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"example.com/shop/internal/telemetry"
	"example.com/shop/internal/traceparent"
)

// propagation is how requests say which trace they belong to.
type propagation struct {
	// header: each request is the root of a trace that only its traceparent names.
	header bool
	sample float64
	// provider, when there is one: each request has a span of the SDK.
	provider *sdktrace.TracerProvider
}

func newPropagation(ctx context.Context, client string, sample float64) (*propagation, error) {
	switch client {
	case "header":
		return &propagation{header: true, sample: sample}, nil
	case "none":
		return &propagation{}, nil
	case "sdk":
		provider, err := telemetry.NewProvider(ctx, "load", sample)
		return &propagation{provider: provider}, err
	default:
		return nil, fmt.Errorf("-client is header, sdk or none, not %q", client)
	}
}

func (p *propagation) newHeader() string { return traceparent.New(rand.Float64() < p.sample).String() }

func (p *propagation) inject(request *http.Request) {
	if p.header {
		request.Header.Set(traceparent.Header, p.newHeader())
	}
}

func (p *propagation) outgoing(ctx context.Context) context.Context {
	if p.header {
		return metadata.AppendToOutgoingContext(ctx, traceparent.Header, p.newHeader())
	}
	return ctx
}

func (p *propagation) transport(base http.RoundTripper) http.RoundTripper {
	if p.provider == nil {
		return base
	}
	return otelhttp.NewTransport(base,
		otelhttp.WithTracerProvider(p.provider), otelhttp.WithPropagators(otelpropagation.TraceContext{}))
}

func (p *propagation) dialOptions() []grpc.DialOption {
	if p.provider == nil {
		return nil
	}
	return []grpc.DialOption{grpc.WithStatsHandler(otelgrpc.NewClientHandler(
		otelgrpc.WithTracerProvider(p.provider), otelgrpc.WithPropagators(otelpropagation.TraceContext{})))}
}

// shutdown delivers spans that have not been delivered yet.
func (p *propagation) shutdown(ctx context.Context) error {
	if p.provider == nil {
		return nil
	}
	return p.provider.Shutdown(ctx)
}
