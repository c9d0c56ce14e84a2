// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See static_files.h.
#include "gateway/static_files.h"

#include <openssl/sha.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace fairlead::gateway {
namespace {

namespace fs = std::filesystem;
using dataplane::HttpRequest;
using dataplane::HttpResponse;

constexpr std::size_t kMaxTotalBytes = 64 << 20;

constexpr char kIndexPage[] = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fairlead</title>
</head>
<body>
<main>
<h1>Fairlead</h1>
<p>This server gives administrators terminals on the devices of a fleet.</p>
<ul>
<li>REST: below <code>/api/v1</code>. Log in with <code>POST /api/v1/login</code>, then list
<code>GET /api/v1/devices</code>.</li>
<li>gRPC: on this port too, package <code>fairlead.v1</code>, with reflection.</li>
<li>Command line: <code>fairlead connect DEVICE</code> opens a terminal.</li>
<li>Health: <a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>.</li>
</ul>
</main>
</body>
</html>
)";

// Nothing from elsewhere, no inline script, no frame around it.
constexpr char kContentSecurityPolicy[] =
    "default-src 'self'; connect-src 'self' wss:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'";

std::string TypeOf(absl::string_view path) {
  const std::size_t dot = path.rfind('.');
  const std::string extension =
      dot == absl::string_view::npos ? "" : absl::AsciiStrToLower(path.substr(dot + 1));
  static const auto* const types = new std::map<std::string, std::string>{
      {"html", "text/html; charset=utf-8"},
      {"js", "text/javascript; charset=utf-8"},
      {"mjs", "text/javascript; charset=utf-8"},
      {"css", "text/css; charset=utf-8"},
      {"json", "application/json"},
      {"map", "application/json"},
      {"webmanifest", "application/manifest+json"},
      {"svg", "image/svg+xml"},
      {"png", "image/png"},
      {"ico", "image/x-icon"},
      {"woff2", "font/woff2"},
      {"wasm", "application/wasm"},
      {"txt", "text/plain; charset=utf-8"},
  };
  const auto found = types->find(extension);
  return found == types->end() ? "application/octet-stream" : found->second;
}

std::string Sha256(absl::string_view content) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const std::uint8_t*>(content.data()), content.size(),
         reinterpret_cast<std::uint8_t*>(digest.data()));
  return digest;
}

// RFC 9110 section 13.1.2: a list of tags, weak ones compare as strong, or '*'.
bool HasTag(absl::string_view if_none_match, absl::string_view etag) {
  for (absl::string_view tag : absl::StrSplit(if_none_match, ',')) {
    tag = absl::StripPrefix(absl::StripAsciiWhitespace(tag), "W/");
    if (tag == etag || tag == "*") return true;
  }
  return false;
}

HttpResponse Failure(int http_status, const absl::Status& status) {
  HttpResponse response = dataplane::ErrorResponse(status);
  response.status = http_status;
  return response;
}

dataplane::net::awaitable<HttpResponse> Ready(HttpResponse response) { co_return response; }

}  // namespace

StaticFiles StaticFiles::BuiltIn() {
  StaticFiles files;
  files.Add("/", kIndexPage);
  return files;
}

absl::StatusOr<StaticFiles> StaticFiles::FromFolder(const std::string& folder) {
  StaticFiles files;
  std::size_t total = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    // Links might lead out of the folder.
    if (!it->is_regular_file(error) || it->is_symlink(error)) continue;
    std::ifstream stream(it->path(), std::ios::binary);
    std::stringstream content;
    content << stream.rdbuf();
    total += content.str().size();
    if (total > kMaxTotalBytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("The folder ", folder, " holds more than 64 MiB: is it the web console's?"));
    }
    const std::string path = "/" + fs::relative(it->path(), folder, error).generic_string();
    files.Add(path == "/index.html" ? "/" : path, content.str());
  }
  if (files.files_.count("/") == 0) {
    return absl::NotFoundError(absl::StrCat("There is no readable index.html in ", folder,
                                            ": name the built web console."));
  }
  return files;
}

void StaticFiles::Add(absl::string_view path, std::string content) {
  File file;
  file.type = TypeOf(path == "/" ? "/index.html" : path);
  file.etag = absl::StrCat("\"", absl::WebSafeBase64Escape(Sha256(content)), "\"");
  file.content = std::move(content);
  files_[std::string(path)] = std::move(file);
}

HttpResponse StaticFiles::Serve(const HttpRequest& request) const {
  const auto found = files_.find(request.path);
  if (found == files_.end()) {
    return Failure(404, absl::NotFoundError(
                            absl::StrCat("There is no ", absl::CHexEscape(request.path), ".")));
  }
  // The connection turns a HEAD into a GET and leaves the body out of the answer.
  if (request.method != "GET") {
    HttpResponse response = Failure(
        405, absl::UnimplementedError(absl::StrCat(found->first, " can only be read: use GET.")));
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  const File& file = found->second;
  HttpResponse response;
  // "no-cache" lets a browser keep the file and has it ask whether it is still the one.
  response.headers = {{"ETag", file.etag},
                      {"Cache-Control", "no-cache"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Content-Security-Policy", kContentSecurityPolicy}};
  if (HasTag(dataplane::FindHeader(request.headers, "If-None-Match"), file.etag)) {
    response.status = 304;
    return response;
  }
  response.headers.emplace_back("Content-Type", file.type);
  response.body = file.content;
  return response;
}

void StaticFiles::AddTo(dataplane::Router* router) const {
  for (const auto& entry : files_) {
    dataplane::Route route;
    route.pattern = entry.first;
    route.on_request = [this](const HttpRequest& request) { return Ready(Serve(request)); };
    router->Add(std::move(route));
  }
}

}  // namespace fairlead::gateway
