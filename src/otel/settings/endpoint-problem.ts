// Imports nothing: the command line checks with it what is typed, before OpenTelemetry is needed.

/** What is wrong with an endpoint, as the rest of a sentence that begins with where it was given; undefined when it is fine. */
export function endpointProblem(endpoint: string): string | undefined {
  const [, scheme = ''] = /^([a-z][a-z0-9+.-]*):\//i.exec(endpoint) ?? [];
  switch (scheme.toLowerCase()) {
    case '':
      return 'must start with http:// or, for TLS, https://, as in http://127.0.0.1:4317';
    case 'grpc':
    case 'grpcs':
      return 'must start with http:// or, for TLS, https://, over gRPC as well';
    case 'dns':
      return 'must be of the form http://host:port: names are looked up in DNS in any case';
    case 'unix':
      return /^unix:\/\/\/./i.test(endpoint)
        ? undefined
        : 'must give the whole path of a socket, as in unix:///run/otel.sock';
    case 'http':
    case 'https':
      return urlProblem(endpoint);
    default:
      return 'must be an http:// or https:// URL';
  }
}

function urlProblem(endpoint: string): string | undefined {
  if (!URL.canParse(endpoint)) {
    return 'must be a URL like http://127.0.0.1:4317';
  }
  const { username, password } = new URL(endpoint);
  return username || password
    ? 'must hold no user name or password: OTEL_EXPORTER_OTLP_HEADERS can, as in authorization=Basic%20...'
    : undefined;
}
