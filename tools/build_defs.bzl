"""The rules for Fairlead's own C++ code: strict warnings, one set of flags, GoogleTest, fuzzing.

Generated code uses the plain cc_* rules, so that its warnings do not stop a build.
"""

FAIRLEAD_COPTS = [
    "-std=c++20",
    "-Wall",
    "-Wextra",
    "-Werror",
]

def fairlead_cc_library(name, copts = [], **kwargs):
    """A cc_library of first-party code."""
    native.cc_library(name = name, copts = FAIRLEAD_COPTS + copts, **kwargs)

def fairlead_cc_binary(name, copts = [], deps = [], **kwargs):
    """A cc_binary of first-party code."""
    native.cc_binary(
        name = name,
        copts = FAIRLEAD_COPTS + copts,
        deps = deps + ["//tools:sanitizer_defaults"],
        **kwargs
    )

def fairlead_cc_test(name, size, copts = [], deps = [], main = None, **kwargs):
    """A cc_test with GoogleTest and GoogleMock.

    Args:
      name: the test.
      size: small, medium, large or enormous; there is no default.
      copts: more compiler flags.
      deps: what the test uses; gtest is added.
      main: a library with main() of its own in place of GoogleTest's.
      **kwargs: as for cc_test.
    """
    native.cc_test(
        name = name,
        size = size,
        copts = FAIRLEAD_COPTS + copts,
        deps = deps + [
            main or "@com_google_googletest//:gtest_main",
            "@com_google_googletest//:gtest",
            "//tools:sanitizer_defaults",
        ],
        **kwargs
    )

def fairlead_cc_fuzz_test(name, srcs, corpus, deps = [], size = "small", **kwargs):
    """A fuzz target that is also a plain test.

    Plainly built, LLVMFuzzerTestOneInput sees each corpus file and some thousand deterministic
    mutations of them. With --config=fuzz it is a libFuzzer program: `bazel test` fuzzes for a short
    while, and `bazel run --config=fuzz :name -- -max_total_time=600 FOLDER` for as long as wanted,
    keeping what it finds in FOLDER (an absolute path).

    Args:
      name: the test.
      srcs: defines LLVMFuzzerTestOneInput.
      corpus: list of files, usually a glob().
      deps: what is fuzzed.
      size: of the plain test.
      **kwargs: as for cc_test.
    """
    if not corpus:
        fail("%s: a fuzz test wants at least one corpus file" % name)
    paths = ["$(rootpath %s)" % file for file in corpus]
    native.cc_test(
        name = name,
        size = size,
        srcs = srcs,
        args = select({
            "//tools:fuzz": ["-max_total_time=20", "-seed_inputs=" + ",".join(paths)],
            "//conditions:default": paths,
        }),
        copts = FAIRLEAD_COPTS,
        data = corpus,
        linkopts = select({
            "//tools:fuzz": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        deps = deps + ["//tools:sanitizer_defaults"] + select({
            "//tools:fuzz": [],
            "//conditions:default": ["//tools:fuzz_replay_main"],
        }),
        **kwargs
    )
