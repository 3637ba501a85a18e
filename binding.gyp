{
  # The native addon: build/Release/mapscope.node, loaded by src/kernel/addon.ts.
  'targets': [
    {
      'target_name': 'mapscope',
      'sources': [
        'native/addon.cc',
        'native/arguments.cc',
        'native/bpf_object.cc',
        'native/calibration.cc',
        'native/clock.cc',
        'native/cpu_time.cc',
        'native/end_watch.cc',
        'native/failure.cc',
        'native/features.cc',
        'native/libbpf_log.cc',
        'native/load_failure.cc',
        'native/map_access.cc',
        'native/operation.cc',
        'native/probe_object.cc',
        'native/read_only_data.cc',
        'native/record_constants.cc',
        'native/record_layout.cc',
        'native/record_structs.cc',
        'native/run_statistics.cc',
        'native/spawn.cc',
        'native/stopped_children.cc',
        'native/target_memory.cc',
        'native/thread_priority.cc',
        'native/uprobe_links.cc',
        'native/wait_exit.cc',
        'native/window.cc',
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
        '<!@(pkg-config --cflags libbpf libelf)',
      ],
      'libraries': ['<!@(pkg-config --libs libbpf libelf)'],
    },
  ],
}
