/*
 * Attribute names that OpenTelemetry's semantic conventions (1.44.0) have not declared stable. We copy them, as the package's
 * authors advise: its entry point for them may drop or rename any of them in a minor version.
 */
export const ATTR_HOST_NAME = 'host.name';
export const ATTR_PROCESS_EXECUTABLE_BUILD_ID_GO = 'process.executable.build_id.go';
export const ATTR_PROCESS_EXECUTABLE_NAME = 'process.executable.name';
export const ATTR_PROCESS_EXECUTABLE_PATH = 'process.executable.path';
export const ATTR_PROCESS_PID = 'process.pid';
export const ATTR_PROCESS_RUNTIME_NAME = 'process.runtime.name';
export const ATTR_PROCESS_RUNTIME_VERSION = 'process.runtime.version';

/** Says to receivers which version of the conventions the names are of. */
export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.44.0';
