"""Maps the upstream names of Fairlead's dependencies to Debian 12's packages.

Used by WORKSPACE alone. Each repository is a folder of symbolic links into /usr with a BUILD file
from third_party/<package>/. The headers of most libraries lie in /usr/include, where the compiler
finds them by itself; only BoringSSL's do not (see third_party/boringssl).
"""

load("//third_party/absl:absl.bzl", "ABSL_LIBRARIES")

def _multiarch(ctx):
    """The name of Debian's library folder below /usr/lib, such as x86_64-linux-gnu."""
    result = ctx.execute(["gcc", "-print-multiarch"])
    if result.return_code == 0 and result.stdout.strip():
        return result.stdout.strip()
    machine = ctx.execute(["uname", "-m"]).stdout.strip()
    return machine + "-linux-gnu"

def _require(ctx, path, package):
    if not ctx.path(path).exists:
        fail("%s is missing: run `apt-get install %s`" % (path, package))

def _debian_library_impl(ctx):
    libdir = "/usr/lib/" + _multiarch(ctx)
    for link, target in ctx.attr.links.items():
        target = target.replace("{libdir}", libdir)
        _require(ctx, target, ctx.attr.package)
        ctx.symlink(target, link)
    for path in ctx.attr.requires:
        _require(ctx, path.replace("{libdir}", libdir), ctx.attr.package)
    ctx.template("BUILD.bazel", ctx.attr.build_file, {"{libdir}": libdir}, executable = False)

debian_library = repository_rule(
    implementation = _debian_library_impl,
    local = True,
    attrs = {
        "build_file": attr.label(mandatory = True, allow_single_file = True),
        "links": attr.string_dict(doc = "Name in the repository: path below /usr."),
        "package": attr.string(mandatory = True, doc = "The Debian package that provides it."),
        "requires": attr.string_list(doc = "Paths that prove that the package is installed."),
    },
)

def _debian_absl_impl(ctx):
    _require(ctx, "/usr/include/absl/status/statusor.h", "libabsl-dev")
    for package, targets in ABSL_LIBRARIES.items():
        lines = ["package(default_visibility = [\"//visibility:public\"])\n"]
        for name, libraries in targets.items():
            linkopts = ["-pthread"]
            if libraries:
                linkopts += ["-Wl,--push-state,--as-needed"]
                linkopts += ["-labsl_" + library for library in libraries]
                linkopts += ["-Wl,--pop-state"]
            lines.append("cc_library(name = %r, linkopts = %r)\n" % (name, linkopts))
        ctx.file("absl/%s/BUILD.bazel" % package, "".join(lines), executable = False)

debian_absl = repository_rule(implementation = _debian_absl_impl, local = True)

def _debian_rules_impl(ctx):
    source = "/usr/share/bazel/" + ctx.attr.path
    _require(ctx, source, ctx.attr.package)
    result = ctx.execute(["cp", "-RL", source + "/.", "."])
    if result.return_code:
        fail("cannot copy %s: %s" % (source, result.stderr))
    for name in ctx.attr.use_cpp_toolchain_files:
        text = ctx.read(name)
        text = text.replace(", \"use_cpp_toolchain\"", "")
        text = text.replace(
            "use_cpp_toolchain()",
            "[\"@bazel_tools//tools/cpp:toolchain_type\"]",
        )
        ctx.file(name, text, executable = False)

debian_rules = repository_rule(
    implementation = _debian_rules_impl,
    local = True,
    doc = "Bazel rules from a Debian package, copied so that they can be mended.",
    attrs = {
        "package": attr.string(mandatory = True),
        "path": attr.string(mandatory = True, doc = "Folder below /usr/share/bazel."),
        "use_cpp_toolchain_files": attr.string_list(
            doc = "Files that call use_cpp_toolchain(), which Bazel 4.2.3 does not have.",
        ),
    },
)

def _node_modules_impl(ctx):
    node = ctx.which("node")
    if not node:
        fail("node is missing: run `apt-get install nodejs npm`")
    lock = ctx.path(ctx.attr.lock_file)
    digest = ctx.execute(["sha256sum", str(lock)]).stdout[:16]
    home = ctx.os.environ.get("HOME", "/root")
    cache = ctx.os.environ.get("XDG_CACHE_HOME", home + "/.cache")
    folder = "%s/fairlead-tools/web-%s" % (cache, digest)
    if not ctx.path(folder + "/complete").exists:
        fail("the packages of the web console are missing in %s: " % folder +
             "run `bash -c 'source tools/setup && setup_web'`, as ./quickstart and ./test do")
    ctx.file("node_modules_folder", folder + "/node_modules", executable = False)
    ctx.file("BUILD.bazel", "exports_files([\"node_modules_folder\"])\n", executable = False)

node_modules = repository_rule(
    implementation = _node_modules_impl,
    doc = """The packages of console/web/package-lock.json, installed by tools/setup below the user's cache
folder. `node_modules_folder` holds the path; it changes with the lock file.""",
    local = True,
    environ = ["HOME", "XDG_CACHE_HOME"],
    attrs = {"lock_file": attr.label(mandatory = True, allow_single_file = True)},
)

def _empty_impl(ctx):
    ctx.file("BUILD.bazel", ctx.attr.build_file_content, executable = False)

_empty_repository = repository_rule(
    implementation = _empty_impl,
    attrs = {"build_file_content": attr.string()},
)

def _bazel_repositories():
    debian_rules(
        name = "rules_cc",
        package = "bazel-rules-cc",
        path = "rules/cc",
        use_cpp_toolchain_files = [
            "cc/private/rules_impl/cc_flags_supplier.bzl",
            "cc/private/rules_impl/compiler_flag.bzl",
        ],
    )
    debian_rules(name = "rules_proto", package = "bazel-rules-proto", path = "rules/proto")
    debian_rules(name = "rules_java", package = "bazel-rules-java", path = "rules/java")
    debian_rules(name = "bazel_skylib", package = "bazel-skylib", path = "tools/skylib")
    debian_rules(name = "platforms", package = "bazel-platforms", path = "platforms")

    # `bazel test` resolves this label even when no coverage is asked for.
    _empty_repository(
        name = "remote_coverage_tools",
        build_file_content = """
filegroup(name = "coverage_report_generator", visibility = ["//visibility:public"])
""",
    )

def _header_and_shared_library(name, package, requires, folder = None):
    debian_library(
        name = name,
        build_file = "//third_party/%s:BUILD.%s" % (folder or name, folder or name),
        package = package,
        requires = requires,
    )

def web_repositories():
    """What the web console is built with."""
    node_modules(
        name = "web_packages",
        lock_file = "//console/web:package-lock.json",
    )

def debian_repositories():
    """Declares all repositories that the workspace uses."""
    _bazel_repositories()
    debian_absl(name = "com_google_absl")
    debian_library(
        name = "com_google_protobuf",
        build_file = "//third_party/protobuf:BUILD.protobuf",
        links = {
            "include/google/protobuf": "/usr/include/google/protobuf",
            "protoc_binary": "/usr/bin/protoc",
        },
        package = "libprotobuf-dev protobuf-compiler",
    )
    debian_library(
        name = "com_github_grpc_grpc",
        build_file = "//third_party/grpc:BUILD.grpc",
        links = {
            "grpc_cpp_plugin_binary": "/usr/bin/grpc_cpp_plugin",
            "lib/libgrpc++_reflection.a": "{libdir}/libgrpc++_reflection.a",
        },
        package = "libgrpc++-dev protobuf-compiler-grpc",
    )
    debian_library(
        name = "boringssl",
        build_file = "//third_party/boringssl:BUILD.boringssl",
        links = {"include/openssl": "/usr/include/android/openssl"},
        package = "android-libboringssl-dev",
        requires = ["{libdir}/android/libssl.so"],
    )
    _header_and_shared_library("boost", "libboost1.81-dev", ["/usr/include/boost/beast.hpp"])
    _header_and_shared_library(
        "com_google_googletest",
        "libgtest-dev libgmock-dev",
        ["/usr/include/gmock/gmock.h", "{libdir}/libgmock_main.a"],
        folder = "googletest",
    )
    _header_and_shared_library("sqlite3", "libsqlite3-dev", ["/usr/include/sqlite3.h"])
    _header_and_shared_library("spdlog", "libspdlog-dev", ["/usr/include/spdlog/spdlog.h"])
    _header_and_shared_library(
        "prometheus_cpp",
        "prometheus-cpp-dev",
        ["/usr/include/prometheus/registry.h"],
    )
    _header_and_shared_library("argon2", "libargon2-dev", ["/usr/include/argon2.h"])
    _header_and_shared_library("libtelnet", "libtelnet-dev", ["/usr/include/libtelnet.h"])
    _header_and_shared_library("cli11", "libcli11-dev", ["/usr/include/CLI/CLI.hpp"])
    _header_and_shared_library(
        "com_github_google_benchmark",
        "libbenchmark-dev",
        ["/usr/include/benchmark/benchmark.h"],
        folder = "benchmark",
    )
    _header_and_shared_library(
        "nlohmann_json",
        "nlohmann-json3-dev",
        ["/usr/include/nlohmann/json.hpp"],
    )
