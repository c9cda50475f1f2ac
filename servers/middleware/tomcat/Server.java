import java.util.List;
import java.util.Map;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleState;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.filters.CorsFilter;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;
import org.apache.tomcat.util.json.JSONParser;

public class Server {
    static void end(String words) {
        System.out.println("corscheck: " + words);
        System.exit(1);
    }

    static String list(Object part) {
        return part instanceof List<?> values ? values.stream().map(String::valueOf).collect(Collectors.joining(",")) : (String) part;
    }

    static void addCors(Context context, String name, String pattern, Map<?, ?> policy) {
        FilterDef filter = new FilterDef();
        filter.setFilterName(name);
        filter.setFilterClass(CorsFilter.class.getName());
        if (!policy.containsKey("default")) {
            String origins = list(policy.get("origins"));
            if (List.of(origins.split(",")).stream().anyMatch(origin -> origin.contains("*") && !origin.equals("*"))) {
                end("unsupported origins with a pattern");
            }
            if (list(policy.get("methods")).equals("*")) {
                end("unsupported any method");
            }
            if (list(policy.get("requestHeaders")).equals("*")) {
                end("unsupported any request header");
            }
            filter.addInitParameter("cors.allowed.origins", origins);
            filter.addInitParameter("cors.allowed.methods", list(policy.get("methods")));
            filter.addInitParameter("cors.allowed.headers", list(policy.get("requestHeaders")));
            filter.addInitParameter("cors.exposed.headers", list(policy.get("expose")));
            filter.addInitParameter("cors.support.credentials", String.valueOf(policy.get("credentials")));
            if (policy.get("maxAge") != null) {
                filter.addInitParameter("cors.preflight.maxage", String.valueOf(policy.get("maxAge")));
            }
        }
        FilterMap map = new FilterMap();
        map.setFilterName(name);
        map.addURLPattern(pattern);
        context.addFilterDef(filter);
        context.addFilterMap(map);
    }

    public static void main(String[] args) throws Exception {
        Map<String, Object> policy = new JSONParser(System.getenv("CORSCHECK_POLICY")).parseObject();
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(System.getenv("CORSCHECK_SCRATCH"));
        Context context = tomcat.addContext("", null);
        Tomcat.addServlet(context, "app", new App());
        Tomcat.addServlet(context, "get", new App.Get());
        context.addServletMappingDecoded("/", "app");
        context.addServletMappingDecoded("/get", "get");
        if (policy.get("paths") instanceof List<?> paths) {
            for (Object rule : paths) {
                String path = (String) ((Map<?, ?>) rule).get("path");
                addCors(context, "cors " + path, path + "/*", (Map<?, ?>) rule);
            }
        } else {
            addCors(context, "cors", "/*", policy);
        }

        // Tomcat starts without a context whose filter fails, and leaves the reason in the log.
        Throwable[] reason = {null};
        Logger log = Logger.getLogger("org.apache.catalina.core");
        log.addHandler(new Handler() {
            @Override
            public void publish(LogRecord entry) {
                reason[0] = entry.getThrown() == null ? reason[0] : entry.getThrown();
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        });
        tomcat.start();
        if (context.getState() != LifecycleState.STARTED) {
            end("refused " + (reason[0] == null ? "the context does not start" : reason[0].getMessage()));
        }

        // A connector that is there from the start listens before it is known whether the filter starts.
        Connector connector = new Connector();
        connector.setPort(Integer.parseInt(System.getenv("CORSCHECK_PORT")));
        connector.setProperty("address", System.getenv("CORSCHECK_HOST"));
        tomcat.setConnector(connector);
        tomcat.getServer().await();
    }
}
