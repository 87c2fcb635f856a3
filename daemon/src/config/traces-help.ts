/** For `--help`. */
export const TRACES_HELP = `\
Traces (docs/operate.md), sent to an OpenTelemetry collector over OTLP (http/protobuf); off unless one of these names it:
  OTEL_EXPORTER_OTLP_ENDPOINT  as in http://localhost:4318; or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, with the path
  OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG,
  OTEL_SDK_DISABLED            as everywhere`
