// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See static_files.h.
#include "gateway/static_files.h"

#include <openssl/sha.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
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
    "default-src 'self'; connect-src 'self' https: wss:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'";

// The name changes with the content, so that nobody need ask again.
constexpr char kKeepForGood[] = "public, max-age=31536000, immutable";
// A browser keeps the file and asks whether it is still the one.
constexpr char kAskAgain[] = "no-cache";

// Of a hash in a file's name.
constexpr std::size_t kHashCharacters = 8;

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

std::string EtagOf(absl::string_view content) {
  return absl::StrCat("\"", absl::WebSafeBase64Escape(Sha256(content)), "\"");
}

std::string UrlPath(absl::string_view path) {
  return path == "index.html" ? "/" : absl::StrCat("/", path);
}

// Which compressed form a file is by its name; empty for none.
absl::string_view EncodingOf(absl::string_view path) {
  if (absl::EndsWith(path, ".br")) return "br";
  if (absl::EndsWith(path, ".gz")) return "gzip";
  return "";
}

// "/assets/NAME-HASH.EXTENSION", as the build of the web console names what it makes.
bool HasHashInName(absl::string_view path) {
  if (!absl::StartsWith(path, "/assets/")) return false;
  const absl::string_view stem = path.substr(0, path.rfind('.'));
  if (stem.size() <= kHashCharacters || stem[stem.size() - kHashCharacters - 1] != '-')
    return false;
  const absl::string_view hash = stem.substr(stem.size() - kHashCharacters);
  return std::all_of(hash.begin(), hash.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; });
}

// RFC 9110 section 12.5.3, without "*": a coding counts unless its quality is 0.
bool Accepts(absl::string_view accept_encoding, absl::string_view encoding) {
  for (absl::string_view offer : absl::StrSplit(accept_encoding, ',')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(offer, ';');
    if (!absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(parts[0]), encoding)) continue;
    if (parts.size() == 1) return true;
    absl::string_view quality = absl::StripAsciiWhitespace(parts[1]);
    double value = 0;
    return !absl::ConsumePrefix(&quality, "q=") || !absl::SimpleAtod(quality, &value) || value > 0;
  }
  return false;
}

// Takes 32 bits, little-endian, from the front of `archive`.
absl::StatusOr<std::size_t> TakeLength(absl::string_view& archive) {
  if (archive.size() < 4) return absl::InvalidArgumentError("no length");
  std::size_t length = 0;
  for (int i = 3; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(archive[i]);
  archive.remove_prefix(4);
  return length;
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
  Entries entries;
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
    entries.emplace_back(fs::relative(it->path(), folder, error).generic_string(), content.str());
  }
  return FromEntries(std::move(entries), folder);
}

absl::StatusOr<StaticFiles> StaticFiles::FromArchive(absl::string_view archive) {
  Entries entries;
  while (!archive.empty()) {
    const absl::StatusOr<std::size_t> path_size = TakeLength(archive);
    const absl::StatusOr<std::size_t> content_size = TakeLength(archive);
    if (!path_size.ok() || !content_size.ok() || *path_size > archive.size() ||
        *content_size > archive.size() - *path_size) {
      return absl::InvalidArgumentError("The archive of the web console is cut short.");
    }
    entries.emplace_back(archive.substr(0, *path_size), archive.substr(*path_size, *content_size));
    archive.remove_prefix(*path_size + *content_size);
  }
  return FromEntries(std::move(entries), "the archive");
}

absl::StatusOr<StaticFiles> StaticFiles::FromEntries(Entries entries, absl::string_view source) {
  StaticFiles files;
  // The files themselves first, since a compressed form needs its file.
  std::vector<std::pair<std::string, std::string>> compressed;
  std::set<std::string> paths;
  for (const auto& [path, content] : entries) paths.insert(path);
  for (auto& [path, content] : entries) {
    const bool is_form = EncodingOf(path) != "" && paths.count(path.substr(0, path.size() - 3)) > 0;
    if (is_form) {
      compressed.emplace_back(path, std::move(content));
    } else {
      files.Add(UrlPath(path), std::move(content));
    }
  }
  // In the order of preference, the most preferred one last: "gz" before "br".
  std::sort(compressed.begin(), compressed.end(),
            [](const auto& a, const auto& b) { return EncodingOf(a.first) > EncodingOf(b.first); });
  for (auto& [path, content] : compressed) {
    files.AddForm(UrlPath(path.substr(0, path.size() - 3)), EncodingOf(path), std::move(content));
  }
  if (files.files_.count("/") == 0) {
    return absl::NotFoundError(absl::StrCat("There is no readable index.html in ", source,
                                            ": name the built web console."));
  }
  return files;
}

void StaticFiles::Add(absl::string_view path, std::string content) {
  File file;
  file.type = TypeOf(path == "/" ? "/index.html" : path);
  file.has_hash_in_name = HasHashInName(path);
  Form plain;
  plain.etag = EtagOf(content);
  plain.content = std::move(content);
  file.forms.push_back(std::move(plain));
  files_[std::string(path)] = std::move(file);
}

void StaticFiles::AddForm(absl::string_view path, absl::string_view encoding, std::string content) {
  const auto found = files_.find(path);
  if (found == files_.end()) return;
  Form form;
  form.encoding = std::string(encoding);
  form.etag = EtagOf(content);
  form.content = std::move(content);
  found->second.forms.insert(found->second.forms.begin(), std::move(form));
}

const StaticFiles::Form& StaticFiles::FormFor(const File& file, absl::string_view accept_encoding) {
  for (const Form& form : file.forms) {
    if (form.encoding.empty() || Accepts(accept_encoding, form.encoding)) return form;
  }
  return file.forms.back();
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
  const Form& form = FormFor(file, dataplane::FindHeader(request.headers, "Accept-Encoding"));
  HttpResponse response;
  response.headers = {{"ETag", form.etag},
                      {"Cache-Control", file.has_hash_in_name ? kKeepForGood : kAskAgain},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cross-Origin-Opener-Policy", "same-origin"},
                      {"Content-Security-Policy", kContentSecurityPolicy}};
  if (file.forms.size() > 1) response.headers.emplace_back("Vary", "Accept-Encoding");
  if (HasTag(dataplane::FindHeader(request.headers, "If-None-Match"), form.etag)) {
    response.status = 304;
    return response;
  }
  response.headers.emplace_back("Content-Type", file.type);
  if (!form.encoding.empty()) response.headers.emplace_back("Content-Encoding", form.encoding);
  response.body = form.content;
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
