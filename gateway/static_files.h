// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Static files of the web console, all held in memory: what is not in the table does not exist, so
// no path can leave the folder. Used by the server's main.
#ifndef FAIRLEAD_GATEWAY_STATIC_FILES_H_
#define FAIRLEAD_GATEWAY_STATIC_FILES_H_

#include <map>
#include <string>

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

  // Everything below `folder` that is a regular file, read now; "index.html" is "/".
  // Errors: NOT_FOUND no such folder, or no index.html in it; RESOURCE_EXHAUSTED more than 64 MiB.
  static absl::StatusOr<StaticFiles> FromFolder(const std::string& folder);

  // Puts `content` at `path`, which begins with '/'; the type follows from the path's extension.
  void Add(absl::string_view path, std::string content);

  // Answers GET (and so HEAD), with 304 for the ETag that the client has; 405 for other methods,
  // 404 for other paths.
  dataplane::HttpResponse Serve(const dataplane::HttpRequest& request) const;

  // Routes every path of the table to this. Lifetime: must outlive the router's use of it.
  void AddTo(dataplane::Router* router) const;

 private:
  struct File {
    std::string content;
    std::string type;
    // In quotes.
    std::string etag;
  };
  std::map<std::string, File, std::less<>> files_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_STATIC_FILES_H_
