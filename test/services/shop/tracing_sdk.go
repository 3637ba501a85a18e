package main

import (
	"context"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"

	"example.com/shop/internal/telemetry"
	"example.com/shop/internal/traceparent"
)

// sdkTracing: spans of the OpenTelemetry SDK, as its instrumentation libraries make them.
type sdkTracing struct {
	provider   *sdktrace.TracerProvider
	tracer     trace.Tracer
	propagator propagation.TraceContext
}

func newSDKTracing(ctx context.Context, sample float64) (*sdkTracing, error) {
	provider, err := telemetry.NewProvider(ctx, "shop", sample)
	if err != nil {
		return nil, err
	}
	return &sdkTracing{provider: provider, tracer: provider.Tracer("example.com/shop")}, nil
}

func (t *sdkTracing) handler(route string, next http.Handler) http.Handler {
	return otelhttp.NewHandler(next, route, otelhttp.WithTracerProvider(t.provider), otelhttp.WithPropagators(t.propagator))
}

func (t *sdkTracing) serverOptions() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.StatsHandler(otelgrpc.NewServerHandler(
		otelgrpc.WithTracerProvider(t.provider), otelgrpc.WithPropagators(t.propagator)))}
}

func (t *sdkTracing) inSpan(ctx context.Context, name string, work func(context.Context)) {
	ctx, span := t.tracer.Start(ctx, name)
	defer span.End()
	work(ctx)
}

func (t *sdkTracing) inWorker(ctx context.Context, name string, work func(context.Context)) {
	t.inSpan(ctx, name, work)
}

func (t *sdkTracing) start(ctx context.Context, name string) (context.Context, func()) {
	ctx, span := t.tracer.Start(ctx, name)
	return ctx, func() { span.End() }
}

func (t *sdkTracing) current(ctx context.Context) traceparent.SpanContext {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsValid() {
		return traceparent.SpanContext{}
	}
	return traceparent.SpanContext{
		TraceID: span.TraceID().String(), SpanID: span.SpanID().String(), Sampled: span.IsSampled(),
	}
}

func (t *sdkTracing) shutdown(ctx context.Context) error { return t.provider.Shutdown(ctx) }
