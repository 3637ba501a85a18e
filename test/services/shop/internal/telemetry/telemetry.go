// Package telemetry sets the OpenTelemetry SDK up, alike for the service and for what drives it.
package telemetry

import (
	"context"
	"fmt"
	"os"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
)

// queueSize is what spans of a second of high load fit into.
const queueSize = 1 << 16

// NewProvider makes a provider of tracers that samples a share of the traces begun here, and follows the caller's choice
// in others. Spans go to OTEL_EXPORTER_OTLP_ENDPOINT over gRPC, or nowhere when that is not set. No sampled span is
// dropped on its way to the exporter: a full queue makes the program wait.
func NewProvider(ctx context.Context, service string, sample float64) (*sdktrace.TracerProvider, error) {
	attributes, err := resource.New(ctx,
		resource.WithAttributes(semconv.ServiceName(service)),
		resource.WithFromEnv(),
		resource.WithTelemetrySDK(),
	)
	if err != nil {
		return nil, fmt.Errorf("describing the service: %w", err)
	}
	options := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(attributes),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(sample))),
	}
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" {
		exporter, err := otlptracegrpc.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("exporting spans: %w", err)
		}
		options = append(options, sdktrace.WithBatcher(exporter,
			sdktrace.WithBlocking(), sdktrace.WithMaxQueueSize(queueSize), sdktrace.WithMaxExportBatchSize(2048)))
	}
	return sdktrace.NewTracerProvider(options...), nil
}
