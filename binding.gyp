{
  # The native addon: build/Release/mapscope.node, loaded by src/kernel/addon.ts.
  'variables': {
    # A folder with libbpf.a and libelf.a, compiled for shared objects: the addon then needs no library but the C library. What is
    # packed is built so (tools/package/addon.ts); a checkout uses the system's libraries.
    'static_libraries%': '',
  },
  'targets': [
    {
      'target_name': 'mapscope',
      'sources': [
        'native/addon.cc',
        'native/base/clock.cc',
        'native/base/failure.cc',
        'native/base/memory_file.cc',
        'native/bpf/bpf_object.cc',
        'native/bpf/exec_events.cc',
        'native/bpf/libbpf_log.cc',
        'native/bpf/map_access.cc',
        'native/bpf/read_only_data.cc',
        'native/bpf/record_layout.cc',
        'native/bpf/refusal.cc',
        'native/js/arguments.cc',
        'native/js/watch/end_watch.cc',
        'native/js/watch/exec_watch.cc',
        'native/js/follower_object.cc',
        'native/js/operation.cc',
        'native/js/probe_object.cc',
        'native/js/records.cc',
        'native/js/wait_exit.cc',
        'native/probes/calibration.cc',
        'native/probes/features.cc',
        'native/probes/thread_priority.cc',
        'native/probes/tracefs.cc',
        'native/probes/uprobe_links.cc',
        'native/probes/window.cc',
        'native/probes/window_events.cc',
        'native/process/cpu_time.cc',
        'native/process/follow.cc',
        'native/process/sent_signals.cc',
        'native/process/spawn.cc',
        'native/process/target_memory.cc',
        'native/process/watch.cc',
        'native/self/limits.cc',
        'native/self/memory.cc',
      ],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': [
        'NAPI_VERSION=9',
        'NAPI_DISABLE_CPP_EXCEPTIONS',
        # An environment that is being torn down cannot take exceptions; that is no reason to abort.
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ],
      # node-gyp takes -std from the headers of the Node it builds for, which differ.
      'cflags_cc!': ['-std=gnu++17', '-std=gnu++20'],
      'cflags_cc': [
        '-std=c++20',
        '-Wall',
        '-Wextra',
        '-Werror',
        '-fvisibility=hidden',
        # Includes in quotes are by path from the root. Not -I: <bpf/libbpf.h> is the system's, and there are folders bpf/ here.
        '-iquote<(module_root_dir)',
        '<!@(pkg-config --cflags libbpf libelf)',
      ],
      'conditions': [
        ['static_libraries==""', {
          'libraries': ['<!@(pkg-config --libs libbpf libelf)'],
        }, {
          'ldflags': [
            '-static-libstdc++',
            # Not libgcc, which Node needs as well: its archive asks for glibc 2.35.
            '-shared-libgcc',
            # Node exports a zlib of its own: the addon's calls must not reach that.
            '-Wl,--exclude-libs,ALL',
            '-Wl,-z,relro,-z,now',
            '-Wl,--gc-sections',
            '-s',
          ],
          'libraries': [
            '<(static_libraries)/libbpf.a',
            '<(static_libraries)/libelf.a',
            '-l:libz.a',
          ],
        }],
      ],
    },
  ],
}
