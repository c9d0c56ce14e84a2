// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Static files of the web console, all held in memory: what is not in the table does not exist, so
// no path can leave the folder. Used by the server's main.
#ifndef FAIRLEAD_GATEWAY_STATIC_FILES_H_
#define FAIRLEAD_GATEWAY_STATIC_FILES_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "dataplane/http.h"
#include "dataplane/router.h"

namespace fairlead::gateway {

// Thread: any, after construction.
class StaticFiles {
 public:
  // One page that tells where the REST and gRPC services are.
  static StaticFiles BuiltIn();

  // Everything below `folder` that is a regular file, read now; "index.html" is "/". "x.br" and
  // "x.gz" beside "x" are its compressed forms, and no files of their own.
  // Errors: NOT_FOUND no such folder, or no index.html in it; RESOURCE_EXHAUSTED more than 64 MiB.
  static absl::StatusOr<StaticFiles> FromFolder(const std::string& folder);

  // As FromFolder, from one archive: for each file the length of its path and of its content, as 32
  // bits each, little-endian, then both (console/web/scripts/compress.mjs writes it).
  // Errors: INVALID_ARGUMENT the archive is cut short; NOT_FOUND no index.html in it.
  static absl::StatusOr<StaticFiles> FromArchive(absl::string_view archive);

  // Puts `content` at `path`, which begins with '/'; the type follows from the path's extension.
  void Add(absl::string_view path, std::string content);

  // Answers GET (and so HEAD) with the smallest form that the client takes, with 304 for the ETag
  // that it has; 405 for other methods, 404 for other paths. A file with a hash in its name
  // ("/assets/app-0123abcd.js") may be kept by the client for good.
  dataplane::HttpResponse Serve(const dataplane::HttpRequest& request) const;

  // Routes every path of the table to this. Lifetime: must outlive the router's use of it.
  void AddTo(dataplane::Router* router) const;

 private:
  // A file as it is, or compressed.
  struct Form {
    // As in Content-Encoding; empty for the file as it is.
    std::string encoding;
    std::string content;
    // In quotes.
    std::string etag;
  };
  struct File {
    std::string type;
    bool has_hash_in_name = false;
    // The preferred one first; the file as it is comes last.
    std::vector<Form> forms;
  };
  using Entries = std::vector<std::pair<std::string, std::string>>;

  static absl::StatusOr<StaticFiles> FromEntries(Entries entries, absl::string_view source);
  static const Form& FormFor(const File& file, absl::string_view accept_encoding);
  // Puts a compressed form of the file at `path` before the forms that are there.
  void AddForm(absl::string_view path, absl::string_view encoding, std::string content);

  std::map<std::string, File, std::less<>> files_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_STATIC_FILES_H_
