import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Base64;

public class App extends HttpServlet {
    static final byte[] PNG = Base64.getDecoder().decode(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==");

    static void answer(HttpServletResponse response, int status, String body) throws IOException {
        response.setHeader("X-App", "corscheck");
        response.setStatus(status);
        response.setHeader("Content-Type", "text/plain");
        response.getOutputStream().print(body);
    }

    static void resource(HttpServletResponse response) throws IOException {
        response.addHeader("Vary", "Accept-Language");
        response.setHeader("X-Secret", "secret");
        response.setHeader("X-Other", "other");
        response.setHeader("ETag", "\"r\"");
        response.setHeader("Cache-Control", "max-age=600");
        answer(response, 200, "resource");
    }

    /** /get: HttpServlet says 405 to what has no method here. */
    public static class Get extends HttpServlet {
        @Override
        protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
            resource(response);
        }
    }

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String path = request.getServletPath();
        switch (path) {
            case "/r", "/public/r", "/private/r" -> resource(response);
            case "/401", "/403", "/404", "/405", "/413" -> answer(response, Integer.parseInt(path.substring(1)), "error");
            case "/500" -> throw new IllegalStateException("the handler fails");
            case "/302" -> {
                response.setHeader("X-App", "corscheck");
                response.sendRedirect(request.getQueryString() == null ? "/r" : "/r?" + request.getQueryString());
            }
            case "/304" -> {
                response.setHeader("X-App", "corscheck");
                response.setHeader("ETag", "\"r\"");
                response.setStatus(304);
            }
            case "/dup" -> {
                response.setHeader("Access-Control-Allow-Origin", "https://handler.test");
                resource(response);
            }
            case "/opt" -> answer(response, 200, request.getMethod().equals("OPTIONS") ? "own options" : "no options");
            case "/slow" -> {
                try {
                    Thread.sleep(300);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                resource(response);
            }
            case "/img" -> {
                response.setHeader("X-App", "corscheck");
                response.setContentType("image/png");
                response.getOutputStream().write(PNG);
            }
            default -> response.sendError(404);
        }
    }
}
