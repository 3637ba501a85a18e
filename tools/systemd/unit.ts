import { CAPABILITIES } from '../../src/base/capabilities.ts';

const RIGHTS = CAPABILITIES.map(({ name }) => `CAP_${name}`).join(' ');

/** otel-config/systemd/mapscope.service: the single executable as a service of systemd's, with no right that it does not use. */
export function systemdUnit(): string {
  return `# Made by \`npm run docs\` from tools/systemd. Settings are in /etc/mapscope/environment: MAPSCOPE_EXE names the executables,
# OTEL_EXPORTER_OTLP_ENDPOINT the receiver. Change the unit with \`systemctl edit mapscope\`.
[Unit]
Description=mapscope: map lookups of Go services as OpenTelemetry histograms
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
EnvironmentFile=/etc/mapscope/environment
ExecStart=/usr/local/bin/mapscope sidecar --exe \${MAPSCOPE_EXE}
Restart=always
RestartSec=5
TimeoutStopSec=30
MemoryMax=512M
UMask=0077

# A user that exists only while the service runs, and the rights that mapscope uses (docs/rights.md).
DynamicUser=yes
AmbientCapabilities=${RIGHTS}
CapabilityBoundingSet=${RIGHTS}
NoNewPrivileges=yes

# Nothing on disk is written, and little is seen.
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
# @debug has perf_event_open and process_vm_readv.
SystemCallFilter=@system-service @debug bpf

# Left as they are, because mapscope works with them: the host's user and process ids (PrivateUsers=, ProtectProc=, ProcSubset=), the
# network that it exports to (PrivateNetwork=, IPAddressDeny=), real-time priorities of its windows (RestrictRealtime=), and code that
# JavaScript's compiler writes (MemoryDenyWriteExecute=).

[Install]
WantedBy=multi-user.target
`;
}
