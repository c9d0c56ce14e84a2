"""The Abseil labels that Fairlead uses, each with the shared libraries that its headers call.

The linker resolves a symbol only from a library that the command line names, and Abseil's inline
functions call into other libraries of its own; so each label lists the closure of what its
headers reach (as Debian's pkg-config files do). Libraries that a program does not call are dropped
at link time (see repositories.bzl).
"""

_LOGGING = ["raw_logging_internal", "log_severity"]
_THROW = ["throw_delegate"] + _LOGGING
_STRINGS = ["strings", "strings_internal", "base", "spinlock_wait", "int128"] + _THROW
_STR_FORMAT = ["str_format_internal"] + _STRINGS
_TIME = ["time", "civil_time", "time_zone"] + _STRINGS
_SYMBOLIZE = ["symbolize", "stacktrace", "debugging_internal", "demangle_internal"]
_SYNCHRONIZATION = ["synchronization", "graphcycles_internal", "malloc_internal"] + _SYMBOLIZE + _TIME
_CORD = [
    "cord",
    "cordz_info",
    "cord_internal",
    "cordz_functions",
    "cordz_handle",
    "exponential_biased",
    "bad_optional_access",
] + _SYNCHRONIZATION
_STATUS = ["status", "strerror", "str_format_internal"] + _CORD
_HASH = ["hash", "city", "low_level_hash", "bad_optional_access", "bad_variant_access"] + _STRINGS
_HASH_TABLE = ["raw_hash_set", "hashtablez_sampler", "hash", "city", "low_level_hash"] + \
              ["bad_variant_access"] + _CORD
_FLAGS = [
    "flags_internal",
    "flags_marshalling",
    "flags_reflection",
    "flags_private_handle_accessor",
    "flags_commandlineflag",
    "flags_commandlineflag_internal",
    "flags_config",
    "flags_program_name",
    "str_format_internal",
] + _HASH_TABLE
_RANDOM = [
    "random_distributions",
    "random_seed_sequences",
    "random_internal_pool_urbg",
    "random_internal_randen",
    "random_internal_randen_hwaes",
    "random_internal_randen_hwaes_impl",
    "random_internal_randen_slow",
    "random_internal_platform",
    "random_internal_seed_material",
    "random_seed_gen_exception",
    "bad_optional_access",
] + _STRINGS

# {package below absl: {target: libraries}}
ABSL_LIBRARIES = {
    "algorithm": {"algorithm": [], "container": []},
    "base": {
        "base": ["base", "spinlock_wait"] + _LOGGING,
        "config": [],
        "core_headers": [],
        "endian": ["base", "spinlock_wait"] + _LOGGING,
    },
    "cleanup": {"cleanup": []},
    "container": {
        "btree": _CORD,
        "fixed_array": _THROW,
        "flat_hash_map": _HASH_TABLE,
        "flat_hash_set": _HASH_TABLE,
        "inlined_vector": _THROW,
        "node_hash_map": _HASH_TABLE,
        "node_hash_set": _HASH_TABLE,
    },
    "debugging": {
        "failure_signal_handler": ["failure_signal_handler", "examine_stack", "malloc_internal"] +
                                  _SYMBOLIZE + _STRINGS,
        "stacktrace": ["stacktrace", "debugging_internal"] + _LOGGING,
        "symbolize": _SYMBOLIZE + ["malloc_internal"] + _STRINGS,
    },
    "flags": {
        "config": ["flags_usage_internal"] + _FLAGS,
        "flag": _FLAGS,
        "marshalling": _FLAGS,
        "parse": ["flags_parse", "flags_usage", "flags_usage_internal"] + _FLAGS,
        "reflection": _FLAGS,
        "usage": ["flags_usage", "flags_usage_internal"] + _FLAGS,
    },
    "functional": {"any_invocable": [], "bind_front": [], "function_ref": []},
    "hash": {"hash": _HASH},
    "memory": {"memory": []},
    "meta": {"type_traits": []},
    "numeric": {"bits": [], "int128": ["int128"]},
    "random": {
        "bit_gen_ref": _RANDOM,
        "distributions": _RANDOM,
        "random": _RANDOM,
    },
    "status": {
        "status": _STATUS,
        "statusor": ["statusor", "bad_variant_access"] + _STATUS,
    },
    "strings": {
        "cord": _CORD,
        "str_format": _STR_FORMAT,
        "strings": _STRINGS,
    },
    "synchronization": {"synchronization": _SYNCHRONIZATION},
    "time": {"time": _TIME},
    "types": {
        "any": ["bad_any_cast_impl"] + _LOGGING,
        "optional": ["bad_optional_access"] + _LOGGING,
        "span": _THROW,
        "variant": ["bad_variant_access"] + _LOGGING,
    },
    "utility": {"utility": []},
}
